// Calls that are under way: each has a number, under which the native library delivers its end.
import { CancelledError } from './generated/errors.js';
import { failure, placed, refusal, type Place } from './failure.js';
import { guarded, tell, type Poll } from './hooks.js';
import { native } from './native.js';

interface Running {
  /** Who made the call; its hooks live as long as it does. */
  owner: object;
  place: Place;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
  /** Makes what the caller gets of what the service answered. */
  make(data: never): unknown;
  onPoll: ((poll: Poll) => void) | undefined;
  /** Stops listening to the caller's signal. */
  release: (() => void) | undefined;
}

const running = new Map<number, Running>();
let lastNumber = 0;

/** What an entry of a batch tells. */
const [VALUE, ERROR, EVENT, POLL] = [0, 1, 2, 3];

/** Where the native library delivers; `new native.Client` needs it. */
export const port = new native.Port((batch) => {
  const told = JSON.parse(batch) as unknown[];
  for (let i = 0; i < told.length; i += 3) {
    const number = told[i] as number;
    const value = told[i + 2];
    // A call may have been cancelled while its answer was on the way: then it is not known any more.
    switch (told[i + 1]) {
      case VALUE: {
        const call = end(number);
        call?.resolve(call.make(value as never));
        break;
      }
      case ERROR: {
        const call = end(number);
        call?.reject(failure(value as never, call.place));
        break;
      }
      case EVENT:
        tell(number, value);
        break;
      case POLL:
        guarded(() => running.get(number)?.onPoll?.(value as Poll));
    }
  }
});

/** A call to be made. */
export interface Start<D, T> {
  owner: object;
  place: Place;
  signal: AbortSignal | null | undefined;
  onPoll?: ((poll: Poll) => void) | undefined;
  make(data: D): T;
  /** Is given the call's number. */
  start(number: number): void;
}

/**
 * Starts a call and gives its promise. What is wrong with the customer's e-mail is thrown at once; everything else
 * rejects the promise.
 */
export function run<D, T>({ owner, place, signal, onPoll, make, start }: Start<D, T>): Promise<T> {
  const number = (lastNumber = (lastNumber + 1) >>> 0 || 1);
  try {
    start(number);
  } catch (thrown) {
    const error = refusal(thrown, place);
    if (error.code === 'invalid_user_email') throw error;
    return Promise.reject(error);
  }
  return new Promise((resolve, reject) => {
    const stop = (reason: unknown) => {
      port.cancel(number);
      end(number)?.reject(reason);
    };
    const release = signal ? whenAborted(signal, stop) : undefined;
    running.set(number, { owner, place, resolve, reject, make, onPoll, release } as Running);
  });
}

/** What one signal stops. One listener serves all of it: Node warns where many are on one signal. */
class Stopper {
  static readonly #all = new WeakMap<AbortSignal, Stopper>();
  readonly #signal: AbortSignal;
  readonly #stops = new Set<(reason: unknown) => void>();

  static of(signal: AbortSignal): Stopper {
    return Stopper.#all.get(signal) ?? new Stopper(signal);
  }

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    Stopper.#all.set(signal, this);
    signal.addEventListener('abort', this);
  }

  add(stop: (reason: unknown) => void): void {
    this.#stops.add(stop);
  }

  /** Forgets what has ended, and the signal with the last. */
  remove(stop: (reason: unknown) => void): void {
    this.#stops.delete(stop);
    if (this.#stops.size > 0) return;
    Stopper.#all.delete(this.#signal);
    this.#signal.removeEventListener('abort', this);
  }

  /** Called by the signal. */
  handleEvent(): void {
    for (const stop of this.#stops) stop(this.#signal.reason);
  }
}

/** Has a signal stop something, until the function is called that it gives. */
export function whenAborted(signal: AbortSignal, stop: (reason: unknown) => void): () => void {
  const stopper = Stopper.of(signal);
  stopper.add(stop);
  return () => stopper.remove(stop);
}

function end(number: number): Running | undefined {
  const call = running.get(number);
  if (!call) return undefined;
  running.delete(number);
  call.release?.();
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
