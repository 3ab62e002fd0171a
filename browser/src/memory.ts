import type { Subject } from './request.js';

const KEY = 'pabbly-connect';

/** What outlives the page, in this tab alone: enough to go on watching. The request link is not needed for that. */
export interface Memory extends Subject {
  /** Tells this attempt from a later one in the same tab. */
  nonce: string;
  /** Whether the page itself went to the hosted page. */
  redirected: boolean;
}

export function newNonce(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-');
}

/** Remembers for as long as the tab lives. Where storage is switched off, only `resume` is lost. */
export function remember(memory: Memory): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(memory));
  } catch {}
}

export function recall(): Memory | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
  } catch {
    return null;
  }
}

/** Forgets one attempt and leaves a later one alone; without a nonce, forgets whatever there is. */
export function forget(nonce = recall()?.nonce): void {
  if (recall()?.nonce === nonce) {
    try {
      sessionStorage.removeItem(KEY);
    } catch {}
  }
}
