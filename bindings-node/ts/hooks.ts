// Tells hooks and the logger what a client does.
import type { ConnectionStatus, LinkPhase } from './generated/models.js';
import type { Settings } from './generated/options.js';

/** Called while calls are under way. None of them is told a secret. */
export interface Hooks {
  /** A request is about to be sent. `call` is the method, such as `getToken`; `attempt` counts from 1. */
  onRequest?: ((info: { call: string; method: string; path: string; attempt: number }) => void) | undefined;
  /** An attempt ended; `status` is `null` where no answer arrived. `requestId` is the service's `x-request-id`. */
  onResponse?:
    | ((info: { call: string; attempt: number; status: number | null; elapsedMs: number; requestId: string | null }) => void)
    | undefined;
  /** A 503 arrived, and the call pauses before its next attempt. */
  onRetry?: ((info: { call: string; attempt: number; delayMs: number }) => void) | undefined;
  /** A wait asked for the status and will ask again; `status` is `null` where a poll failed that the wait survives. */
  onWait?:
    | ((info: { connectionId: string; status: ConnectionStatus | null; delayMs: number }) => void)
    | undefined;
}

/** Where the client writes what it does, such as `console`. */
export interface Logger {
  debug?(message: string, details: object): void;
  info?(message: string, details: object): void;
}

/** What a wait has just learned. */
export interface Poll {
  /** `null` where the poll failed in a way that the wait survives. */
  status: ConnectionStatus | null;
  /** How far the customer has come; `null` where that is not known: it is of a link that this client made. */
  phase: LinkPhase | null;
  /** When the next poll is expected; 0 where the service holds the answer until there is news. */
  nextInMs: number;
}

type Event =
  | ({ event: 'request' } & Parameters<NonNullable<Hooks['onRequest']>>[0])
  | ({ event: 'response' } & Parameters<NonNullable<Hooks['onResponse']>>[0])
  | ({ event: 'retry' } & Parameters<NonNullable<Hooks['onRetry']>>[0])
  | ({ event: 'wait' } & Parameters<NonNullable<Hooks['onWait']>>[0]);

/** Who is told, if anybody. */
export class Listener {
  /** The number under which the native library tells its events; 0 where nobody listens. */
  readonly number: number;
  readonly #hooks: Hooks;
  readonly #logger: Logger | undefined;

  constructor(options: Settings) {
    const { onRequest, onResponse, onRetry, onWait, logger } = options;
    this.#hooks = { onRequest, onResponse, onRetry, onWait };
    this.#logger = logger;
    const listens = [onRequest, onResponse, onRetry, onWait, logger].some((listener) => listener != null);
    this.number = listens ? nextNumber++ : 0;
    if (!listens) return;
    listeners.set(this.number, new WeakRef(this));
    gone.register(this, this.number);
  }

  tell({ event, ...info }: Event): void {
    const logger = this.#logger;
    guarded(() => {
      if (event === 'retry') return logger?.info?.('pabbly-connect: retry', info);
      return logger?.debug?.(`pabbly-connect: ${event}`, info);
    });
    const hooks = this.#hooks;
    guarded(() => {
      if (event === 'request') return hooks.onRequest?.(info as never);
      if (event === 'response') return hooks.onResponse?.(info as never);
      if (event === 'retry') return hooks.onRetry?.(info as never);
      return hooks.onWait?.(info as never);
    });
  }
}

/**
 * Calls back into the user's code, which may be asynchronous. Where that fails it must not take the call with it, nor
 * go unnoticed.
 */
export function guarded(callback: () => unknown): void {
  try {
    const result = callback();
    if (result instanceof Promise) result.catch(warn);
  } catch (error) {
    warn(error);
  }
}

function warn(error: unknown): void {
  let text = 'something that cannot be printed';
  try {
    text = String(error);
  } catch {
    // An object without a prototype, say.
  }
  process.emitWarning(`a hook or the logger threw: ${text}`, 'PabblyConnectWarning');
}

let nextNumber = 1;
// Weak, so that a client that nobody holds any more is not held here either; calls hold theirs.
const listeners = new Map<number, WeakRef<Listener>>();
const gone = new FinalizationRegistry<number>((number) => listeners.delete(number));

export function tell(number: number, event: unknown): void {
  listeners.get(number)?.deref()?.tell(event as Event);
}
