import { begin, isBusy } from './attempt.js';
import { recall } from './memory.js';
import type { ConnectHandle, ConnectOptions } from './types.js';
import { watch } from './watch.js';

/**
 * Goes on with an attempt that outlived its page: where the link's `return_url` leads, and after a reload. Null if
 * there is none. Until this is called nothing is told, and nothing is lost.
 */
export function resume(options: ConnectOptions = {}): ConnectHandle | null {
  const memory = isBusy() ? null : recall();
  if (!memory) return null;
  const attempt = begin(options, memory.nonce);
  // Whoever was redirected and is here again has left the hosted page.
  watch(attempt, memory, () => (memory.redirected ? 'surely' : 'no'));
  return attempt.handle;
}
