import { type Attempt, begin } from './attempt.js';
import { isPhoneOrUprightTablet } from './device.js';
import { forget, remember } from './memory.js';
import { openPopup, openTab, watchPopup } from './popup.js';
import { hasReturnUrl, obtain, parse, type Subject } from './request.js';
import type { ConnectHandle, ConnectOptions, ConnectRequest, ConnectRequestSource, LinkValues } from './types.js';
import { type Departure, watch } from './watch.js';

/**
 * Opens the hosted page. Call it in a click, before anything is awaited: browsers allow windows only there. Values that
 * have to be fetched first are given as a promise or a function.
 *
 * One attempt at a time: opening another closes the one before.
 */
export function open(options: ConnectRequest & ConnectOptions): ConnectHandle;
export function open(source: ConnectRequestSource, options?: ConnectOptions): ConnectHandle;
export function open(source: ConnectRequestSource, options = source as ConnectOptions): ConnectHandle {
  const attempt = begin(options);
  // A popup starts with a copy of this tab's storage: there must be nothing in it to resume.
  forget();
  const { display = 'auto' } = options;
  const tab = display === 'auto' && isPhoneOrUprightTablet();
  if (display === 'redirect' || (tab && hasReturnUrl(source))) {
    void start(attempt, source, (link, subject) => redirect(attempt, link, subject));
    return attempt.handle;
  }
  const popup = tab ? openTab() : openPopup();
  if (popup) {
    attempt.signal.addEventListener('abort', () => popup.close());
    void start(attempt, source, (link, subject) => follow(attempt, link, subject, popup));
  } else {
    attempt.fail('popup_blocked', 'The browser blocked the window: open() has to be called directly in a click.');
  }
  return attempt.handle;
}

/** Gets hold of the values, then goes where they lead. */
async function start(
  attempt: Attempt,
  source: ConnectRequestSource,
  go: (link: URL, subject: Subject) => void,
): Promise<void> {
  let values: LinkValues;
  try {
    values = await obtain(source);
  } catch (cause) {
    return attempt.fail('network', 'The link could not be fetched.', cause);
  }
  if (attempt.signal.aborted) return;
  const target = parse(values);
  if (target) go(...target);
  else attempt.fail('invalid_token', 'These are not the values of a link.');
}

/** Sends the popup to the hosted page and watches both. */
function follow(attempt: Attempt, link: URL, subject: Subject, popup: Window) {
  if (popup.closed) return attempt.exit('closed');
  const { signal, nonce } = attempt;
  let departure: Departure = 'no';
  popup.location.replace(link);
  remember({ ...subject, nonce, redirected: false });
  const askNow = watch(attempt, subject, () => departure);
  watchPopup(popup, signal, (seen) => {
    departure = seen;
    askNow();
  });
  // Whatever a message says, it is only a reason to ask the platform.
  window.addEventListener(
    'message',
    ({ source, origin, data }) => {
      if (source === popup && origin === link.origin && data?.connection_id === subject.connectionId) askNow();
    },
    { signal },
  );
}

/** Leaves for the hosted page; `resume` goes on where that leads back to. */
function redirect(attempt: Attempt, link: URL, subject: Subject) {
  const { signal, nonce } = attempt;
  remember({ ...subject, nonce, redirected: true });
  location.assign(link);
  // The browser's back button may bring this very page to life again, any number of times.
  const revived = ({ persisted }: PageTransitionEvent) => {
    if (!persisted) return;
    window.removeEventListener('pageshow', revived);
    watch(attempt, subject, () => 'surely');
  };
  window.addEventListener('pageshow', revived, { signal });
}
