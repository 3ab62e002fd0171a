// What a caller may pass, and the refusal of everything else. Most of it is generated from the Rust source.
import { refused, type Place } from './failure.js';
import type {
  AppQuery as ListAppsQuery,
  ConnectionQuery as ListConnectionsQuery,
  LinkRequest,
  Options as NativeCallOptions,
  Settings as NativeSettings,
  WaitOptions as NativeWaitOptions,
} from './generated/native.js';
import type { ConnectionStatus } from './generated/models.js';

export type { LinkRequest, ListAppsQuery, ListConnectionsQuery };

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

/** Settings of a client. */
export interface Settings extends NativeSettings, Hooks {
  /** Is told requests, answers and polls (`debug`) and retries (`info`), without secrets. */
  logger?: Logger | undefined;
}

/** Options that every call but a wait takes as its last argument. */
export interface CallOptions extends NativeCallOptions {
  /** Stops the call; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** How to wait for a connection. */
export interface WaitOptions extends NativeWaitOptions {
  /** Stops the wait; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Called after each poll that did not end the wait. */
  onPoll?: ((poll: Poll) => void) | undefined;
}

/** What a wait has just learned. */
export interface Poll {
  /** `null` where the poll failed in a way that the wait survives. */
  status: ConnectionStatus | null;
  /** When the next poll is expected; 0 where the service holds the answer until there is news. */
  nextInMs: number;
}

/** The names of each kind of option. The compiler checks that none is missing. */
const names = <T>(all: Record<keyof T, true>): ReadonlySet<string> => new Set(Object.keys(all));

export const KNOWN = {
  settings: names<Required<Settings>>({
    apiKey: true, baseUrl: true, maxRetries: true, timeoutMs: true, backoffMs: true, allowInsecureHttp: true,
    proxy: true, caCertificates: true, userAgent: true, requestsPerMinute: true, logger: true,
    onRequest: true, onResponse: true, onRetry: true, onWait: true,
  }),
  call: names<Required<CallOptions>>({ signal: true, timeoutMs: true, deadlineMs: true, maxRetries: true }),
  wait: names<Required<WaitOptions>>({ signal: true, intervalMs: true, timeoutMs: true, onPoll: true }),
  apps: names<Required<ListAppsQuery>>({ search: true, page: true, limit: true }),
  connections: names<Required<ListConnectionsQuery>>({ appId: true, page: true, limit: true }),
  link: names<Required<LinkRequest>>({
    appId: true, name: true, connectionId: true, authOptionKey: true, allowedApps: true, returnUrl: true,
    allowedOrigin: true, displayName: true, expiresIn: true, allowMultipleConnections: true, scopes: true,
    confirm: true, idempotencyKey: true,
  }),
};

/** Refuses options that would be dropped without a word: a misspelt one, or one in the wrong argument. */
export function check(options: unknown, known: ReadonlySet<string>, place: Place): void {
  if (options === undefined || options === null) return;
  if (typeof options !== 'object') throw refused(`options must be an object, not a ${typeof options}`, place);
  for (const name in options) {
    if (known.has(name)) continue;
    throw refused(`there is no option "${name}" here; the options are ${[...known].join(', ')}`, place);
  }
  const { signal } = options as { signal?: unknown };
  if (signal != null && typeof (signal as AbortSignal).addEventListener !== 'function') {
    throw refused('signal must be an AbortSignal', place);
  }
}
