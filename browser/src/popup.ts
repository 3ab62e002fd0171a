import type { Departure } from './watch.js';

const WIDTH = 500;
const HEIGHT = 700;

/** How often a popup is looked at, in milliseconds. */
const GLANCE = 250;
/** How often a popup that is to be closed is looked at, in milliseconds. */
const CLOSING = 20;
/** How long a popup must have been in reach on the hosted page to be believed, in milliseconds. */
const WHILE = 500;

/** Opens a blank window in the middle of this one, or null if the browser does not allow it. */
export function openPopup(): Window | null {
  const left = Math.round(window.screenX + (window.outerWidth - WIDTH) / 2);
  const top = Math.round(window.screenY + (window.outerHeight - HEIGHT) / 2);
  return openBlank(`popup,width=${WIDTH},height=${HEIGHT},left=${left},top=${top}`);
}

/** Opens a blank tab in front of this page, or null if the browser does not allow it. */
export function openTab(): Window | null {
  return openBlank('');
}

function openBlank(features: string): Window | null {
  const popup = window.open('', '_blank', features);
  return popup?.closed === false ? popup : null;
}

/**
 * Closes a popup. Chromium ignores that, for good, while the popup is on its way to another page, as it is when it comes back
 * from a provider. So it is called back to a blank page first.
 */
export function closePopup(popup: Window): void {
  popup.location.replace('about:blank');
  const close = () => {
    if (!popup.closed && isElsewhere(popup)) return;
    clearInterval(timer);
    window.removeEventListener('pagehide', leave);
    popup.close();
  };
  // A page that is left has no time for that.
  const leave = () => popup.close();
  const timer = setInterval(close, CLOSING);
  window.addEventListener('pagehide', leave);
  close();
}

/**
 * Tells once when a popup says that it is closed.
 *
 * It is believed only after the popup was seen on the hosted page, still in reach, for a while. A
 * Cross-Origin-Opener-Policy of this page cuts the popup off about when the hosted page comes, and from then on
 * `closed` means nothing.
 */
export function watchPopup(popup: Window, signal: AbortSignal, onClosed: (departure: Departure) => void): void {
  let firstSeen = 0;
  let lastSeen = 0;
  const timer = setInterval(() => {
    if (popup.closed) {
      clearInterval(timer);
      onClosed(lastSeen - firstSeen >= WHILE ? 'surely' : 'perhaps');
    } else if (isElsewhere(popup)) {
      lastSeen = performance.now();
      firstSeen ||= lastSeen;
    }
  }, GLANCE);
  signal.addEventListener('abort', () => clearInterval(timer));
}

function isElsewhere(popup: Window): boolean {
  try {
    return popup.location.href !== 'about:blank';
  } catch {
    return true; // The page is another origin's.
  }
}
