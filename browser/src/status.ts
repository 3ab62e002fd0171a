import type { Pause } from './pause.js';
import type { Subject } from './request.js';
import type { Account, ConnectFailure, Operation, Phase } from './types.js';

/** How long an answer may take beyond a long poll, in milliseconds. */
const PATIENCE = 10_000;
/** What was answered earlier is no long poll, whatever its header says, in milliseconds. */
const SHORTEST_LONG_POLL = 1_000;
/** How long a busy platform is left alone that does not say for how long, in milliseconds. */
const BUSY = 10_000;

/** What the platform says about a connection. */
export interface Status {
  status: 'pending' | 'active' | 'rejected' | 'expired';
  phase: Phase;
  operation: Operation;
  app_id?: string | null;
  account?: Account | null;
  last_error?: ConnectFailure | null;
  /** Seconds that the link still works. */
  expires_in: number;
  /** Changes with the phase and the error. */
  revision?: string;
}

/** A status, or else why there is none: `refused` for good, `busy`, `failed` and `interrupted` for now. */
export interface Answer {
  status?: Status | null;
  problem: 'refused' | 'busy' | 'failed' | 'interrupted';
  /** How long the platform wants to be left alone, in milliseconds. */
  retryAfter: number;
  /** Whether the platform held the answer back until something changed or the time was over. */
  wasLongPoll?: boolean;
}

/**
 * Asks once; never throws. With `wait`, in seconds, it is a long poll (`Prefer: wait`, RFC 7240), which a wake interrupts:
 * for news since a revision, if one is known.
 */
export async function ask(
  subject: Subject,
  signal: AbortSignal,
  wait: number,
  pause: Pause,
  revision = '',
): Promise<Answer> {
  const abort = new AbortController();
  const stop = () => abort.abort();
  const timer = setTimeout(stop, PATIENCE + wait * 1000);
  const askedAt = performance.now();
  let problem: Answer['problem'] = 'failed';
  if (wait) {
    pause.interrupt(() => {
      problem = 'interrupted';
      stop();
    });
  }
  signal.addEventListener('abort', stop, { signal: abort.signal });
  try {
    const response = await fetch(subject.statusUrl + (wait && revision ? `?revision=${revision}` : ''), {
      headers: { 'x-request-token': subject.requestToken, ...(wait && { prefer: `wait=${wait}` }) },
      cache: 'no-store',
      credentials: 'omit',
      // The token is for this address alone.
      redirect: 'error',
      signal: abort.signal,
    });
    const retryAfter = Number(response.headers.get('retry-after')) * 1000 || 0;
    if (response.ok) {
      const wasLongPoll =
        response.headers.has('preference-applied') && performance.now() - askedAt >= SHORTEST_LONG_POLL;
      return { status: (await response.json()).data, problem: 'failed', retryAfter, wasLongPoll };
    }
    if (response.status === 429) return { problem: 'busy', retryAfter: retryAfter || BUSY };
    return { problem: response.status === 404 && (await isPlatforms(response)) ? 'refused' : 'failed', retryAfter };
  } catch {
    return { problem, retryAfter: 0 };
  } finally {
    clearTimeout(timer);
    stop();
  }
}

/** Whether an error is the platform's own, and not that of a proxy or firewall in between, which may pass. */
async function isPlatforms(response: Response): Promise<boolean> {
  const body = await response.json().catch(() => null);
  return typeof body?.data?.code === 'string';
}
