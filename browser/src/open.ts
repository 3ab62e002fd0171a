import { type Attempt, begin } from './attempt.js';
import { isPhoneOrUprightTablet } from './device.js';
import { forget, remember } from './memory.js';
import { closePopup, openPopup, openTab, watchPopup } from './popup.js';
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
  const popup = openWindow(attempt, source, options);
  if (popup !== 'blocked') {
    void start(attempt, source, (link, subject) => {
      if (popup) follow(attempt, link.origin, subject, popup, () => popup.location.replace(link));
      else redirect(attempt, subject, () => location.assign(link));
    });
  }
  return attempt.handle;
}

/** The window for an attempt, which closes with it; null where this page itself is to go there. To be called in a click. */
export function openWindow(
  attempt: Attempt,
  source: ConnectRequestSource,
  { display = 'auto' }: ConnectOptions,
): Window | null | 'blocked' {
  const tab = display === 'auto' && isPhoneOrUprightTablet();
  if (display === 'redirect' || (tab && hasReturnUrl(source))) return null;
  const popup = tab ? openTab() : openPopup();
  if (popup) {
    attempt.signal.addEventListener('abort', () => closePopup(popup));
    return popup;
  }
  attempt.fail('popup_blocked', 'The browser blocked the window: it has to be opened directly in a click.');
  return 'blocked';
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
    return attempt.fail('network', 'The link could not be fetched.', { cause });
  }
  if (attempt.signal.aborted) return;
  const target = parse(values);
  if (target) go(...target);
  else attempt.fail('invalid_token', 'These are not the values of a link.');
}

/** Sends the popup to the platform and watches both. */
export function follow(attempt: Attempt, origin: string, subject: Subject, popup: Window, send: () => void) {
  if (popup.closed) return attempt.exit('closed');
  const { signal, nonce } = attempt;
  let departure: Departure = 'no';
  send();
  attempt.happen({ type: 'opened' });
  remember({ ...subject, nonce, redirected: false });
  const askNow = watch(attempt, subject, () => departure);
  watchPopup(popup, signal, (seen) => {
    departure = seen;
    askNow();
  });
  // Whatever a message says, it is only a reason to ask the platform.
  window.addEventListener(
    'message',
    ({ source, origin: from, data }) => {
      if (source === popup && from === origin && data?.connection_id === subject.connectionId) askNow();
    },
    { signal },
  );
}

/** Leaves for the platform; `resume` goes on where that leads back to. */
export function redirect(attempt: Attempt, subject: Subject, send: () => void) {
  const { signal, nonce } = attempt;
  remember({ ...subject, nonce, redirected: true });
  attempt.happen({ type: 'opened' });
  send();
  // The browser's back button may bring this very page to life again, any number of times.
  const revived = ({ persisted }: PageTransitionEvent) => {
    if (!persisted) return;
    window.removeEventListener('pageshow', revived);
    watch(attempt, subject, () => 'surely');
  };
  window.addEventListener('pageshow', revived, { signal });
}
