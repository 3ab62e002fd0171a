import { forget, newNonce } from './memory.js';
import type {
  ConnectDetails,
  ConnectError,
  ConnectEvent,
  ConnectHandle,
  ConnectOptions,
  ConnectOutcome,
  ExitReason,
} from './types.js';

/** One attempt to connect, from the inside. It ends once; whatever is told later is ignored. */
export interface Attempt {
  readonly handle: ConnectHandle;
  readonly nonce: string;
  /** Aborted at the end. */
  readonly signal: AbortSignal;
  /** Tells what happened on the way. */
  happen(event: ConnectEvent): void;
  succeed(connectionId: string, details: ConnectDetails): void;
  exit(reason: ExitReason): void;
  fail(code: ConnectError['code'], message: string, more?: Pick<ConnectError, 'cause' | 'fields'>): void;
}

let current: Attempt | undefined;

/** Starts an attempt in place of the one that this page may have under way. */
export function begin(options: ConnectOptions, nonce = newNonce()): Attempt {
  current?.handle.close();
  const end = new AbortController();
  let resolve: (outcome: ConnectOutcome) => void;
  const outcome = new Promise<ConnectOutcome>((done) => {
    resolve = done;
  });
  void outcome.then((outcome) => tell(outcome, options));

  // Only the first time counts: a promise resolves once.
  function settle(outcome: ConnectOutcome) {
    forget(nonce);
    end.abort();
    resolve(outcome);
  }
  const exit = (reason: ExitReason) => settle({ type: 'exit', reason });
  current = {
    handle: { outcome, close: () => exit('closed') },
    nonce,
    signal: end.signal,
    happen: (event) => {
      // The caller's own errors are not to disturb the attempt; and the end is told later still.
      if (!end.signal.aborted) queueMicrotask(() => options.onEvent?.(event));
    },
    succeed: (connectionId, details) => settle({ type: 'success', connectionId, ...details }),
    exit,
    fail: (code, message, more) => settle({ type: 'error', error: { code, message, ...more } }),
  };
  return current;
}

/** Whether an attempt is under way on this page. */
export function isBusy(): boolean {
  return current?.signal.aborted === false;
}

function tell(outcome: ConnectOutcome, { onSuccess, onExit, onError = console.error }: ConnectOptions) {
  if (outcome.type === 'success') {
    const { operation, appId, account } = outcome;
    onSuccess?.(outcome.connectionId, { operation, appId, account });
  } else if (outcome.type === 'exit') onExit?.(outcome.reason);
  else onError(outcome.error);
}
