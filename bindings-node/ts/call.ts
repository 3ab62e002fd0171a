// Calls that are under way: each has a number, under which the native library delivers its end.
import { CancelledError } from './generated/errors.js';
import { failure, placed, refusal, type Place } from './failure.js';
import { tell } from './hooks.js';
import { native } from './native.js';

interface Running {
  /** Who made the call; its hooks live as long as it does. */
  owner: object;
  place: Place;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
  /** Makes what the caller gets of what the service answered. */
  make(data: never): unknown;
  /** Takes the listener off the caller's signal. */
  unlisten: (() => void) | undefined;
}

const running = new Map<number, Running>();
let lastNumber = 0;

const port = new native.Port((batch) => {
  const told = JSON.parse(batch) as unknown[];
  for (let i = 0; i < told.length; i += 3) {
    const number = told[i] as number;
    const value = told[i + 2];
    if (told[i + 1] === EVENT) {
      tell(number, value);
      continue;
    }
    const call = end(number);
    if (!call) continue; // It was cancelled while its answer was on the way.
    if (told[i + 1] === VALUE) call.resolve(call.make(value as never));
    else call.reject(failure(value as never, call.place));
  }
});

const VALUE = 0;
const EVENT = 2;

/** What `new native.Client` needs. */
export { port };

/**
 * Starts a call and gives its promise.
 *
 * `start` is given the call's number; what it throws about the customer's e-mail is thrown at once, everything else
 * rejects the promise.
 */
export function run<D, T>(
  owner: object,
  place: Place,
  signal: AbortSignal | null | undefined,
  make: (data: D) => T,
  start: (number: number) => void,
): Promise<T> {
  const number = (lastNumber = (lastNumber + 1) >>> 0 || 1);
  try {
    start(number);
  } catch (thrown) {
    const error = refusal(thrown, place);
    if (error.code === 'invalid_user_email') throw error;
    return Promise.reject(error);
  }
  return new Promise((resolve, reject) => {
    running.set(number, { owner, place, resolve, reject, make, unlisten: signal ? listen(signal, number) : undefined } as Running);
  });
}

function listen(signal: AbortSignal, number: number): () => void {
  const onAbort = () => {
    port.cancel(number);
    end(number)?.reject(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  return () => signal.removeEventListener('abort', onAbort);
}

function end(number: number): Running | undefined {
  const call = running.get(number);
  if (!call) return undefined;
  running.delete(number);
  call.unlisten?.();
  return call;
}

/** Stops all calls of one client. */
export function cancelAll(owner: object): void {
  for (const [number, call] of running) {
    if (call.owner !== owner) continue;
    port.cancel(number);
    end(number)?.reject(closed(call.place));
  }
}

/** The error of calls on a client that was closed. */
export function closed(place: Place): CancelledError {
  return placed(new CancelledError('the client was closed', { code: 'cancelled' }), place);
}
