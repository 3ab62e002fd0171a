import type { Attempt } from './attempt.js';
import { createPause, type Pause } from './pause.js';
import type { Subject } from './request.js';
import { ask, type Status } from './status.js';
import type { Phase } from './types.js';

const PHASES: Phase[] = ['created', 'form', 'at_provider', 'returned'];

/** Between two questions where the platform holds no answer back, in milliseconds. */
const INTERVAL = 2_000;
const LONGEST_INTERVAL = 30_000;
/** Length of a long poll, in seconds: shorter than the time after which proxies close a connection that is idle. */
const LONG_POLL = 25;
/** Questions in a row without an answer, over some three minutes, after which the platform is out of reach. */
const MOST_FAILURES = 10;
/** How long the platform may take to notice that a link has expired, and the longest that one can live. */
const GRACE = 10_000;
const LONGEST_LIFE = 86_400_000;

/**
 * Whether the customer has left the hosted page, as far as this page can see. `perhaps`: the window says that it is
 * closed, but a Cross-Origin-Opener-Policy can make it say so.
 */
export type Departure = 'no' | 'perhaps' | 'surely';

/** Asks the platform until the attempt has ended. The function returned makes it ask at once. */
export function watch(attempt: Attempt, subject: Subject, departure: () => Departure): () => void {
  const { signal } = attempt;
  const pause = createPause(signal);
  const { wake } = pause;
  window.addEventListener('focus', wake, { signal });
  window.addEventListener('online', wake, { signal });
  document.addEventListener('visibilitychange', wake, { signal });
  void poll(attempt, subject, departure, pause);
  return wake;
}

async function poll(attempt: Attempt, subject: Subject, departure: () => Departure, pauses: Pause) {
  // This clock never jumps; how far it has to run is the platform's word.
  let end = performance.now() + LONGEST_LIFE;
  let failures = 0;
  // The first answer, and the one after something happened, must not be held back.
  let longPoll = false;
  // A platform that does not know `Prefer` may not let a page of another origin send it.
  let canLongPoll = true;
  // Whether long polls are held back, as far as is known: then one may follow another response at once.
  let isHeld = true;
  let revision: string | undefined;
  const tellProgress = createProgress(attempt);
  while (!attempt.signal.aborted) {
    // Seen before the question is asked, so that the answer is the newer of the two.
    const left = departure();
    const askedAt = performance.now();
    const wait = longPoll ? Math.min(LONG_POLL, Math.max(0, Math.ceil((end - askedAt) / 1000))) : 0;
    const { status, problem, retryAfter, wasLongPoll } = await ask(subject, attempt.signal, wait, pauses, revision);
    if (problem === 'interrupted') {
      longPoll = false;
      continue;
    }
    if (wait && !status) canLongPoll = isHeld = false;
    if (status) {
      failures = 0;
      const lapse = performance.now() + status.expires_in * 1000 + GRACE;
      if (lapse < end) end = lapse;
      if (wait) isHeld = wasLongPoll || status.revision !== revision;
      revision = status.revision;
      tellProgress(status);
      conclude(attempt, subject.connectionId, status, left);
    } else if (problem === 'refused') {
      attempt.fail('invalid_token', 'The platform does not know this link.');
    } else if (problem === 'failed' && ++failures === MOST_FAILURES) {
      attempt.fail('network', 'The platform cannot be reached.');
    }
    // A request sent before the end proves nothing: the page may have been frozen since.
    if (askedAt >= end) attempt.exit('timeout');
    const remaining = end - performance.now();
    const interval = Math.max(retryAfter, Math.min(status && isHeld ? 0 : INTERVAL * 2 ** failures, LONGEST_INTERVAL));
    longPoll = !(await pauses.pause(Math.min(interval, remaining), !retryAfter)) && canLongPoll;
  }
}

/** Tells the steps in their order, and a failure whenever there is another reason. */
function createProgress({ happen }: Attempt): (answer: Status) => void {
  let furthest = 0;
  let code: string | undefined;
  return ({ status, phase, last_error: error }) => {
    const step = PHASES.indexOf(phase);
    if (step > furthest) {
      furthest = step;
      happen({ type: phase as 'form' });
    }
    if (error && error.code !== code && status === 'pending') happen({ type: 'error', error });
    code = error?.code;
  };
}

/** Ends the attempt if the platform's answer does. */
function conclude(attempt: Attempt, connectionId: string, answer: Status, left: Departure) {
  const { status, phase, operation, app_id: appId = null, account = null } = answer;
  if (status === 'active') attempt.succeed(connectionId, { operation, appId, account });
  else if (status === 'rejected' || status === 'expired') attempt.exit(status);
  // Nobody can come back to a page that was left, unless a provider sends them.
  else if (left !== 'no' && (phase === 'created' || (phase === 'form' && left === 'surely'))) attempt.exit('closed');
}
