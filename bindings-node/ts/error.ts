// The base of all errors. Its subclasses are generated from the core's table.
import type { ErrorCode } from './generated/errors.js';
import type { Connection } from './generated/models.js';

/** The answer that an error was made from. */
export interface ErrorResponse {
  status: number;
  /** Names in lower case, without those that hold credentials or cookies. */
  headers: Record<string, string>;
  /** Parsed where it was JSON, else its text; `null` where it was empty. Secrets in it are replaced. */
  body: unknown;
}

/** What an error carries beside its message. */
export interface ErrorDetails {
  status?: number | null;
  code?: ErrorCode | null;
  response?: ErrorResponse | null;
  attempts?: number;
  retryAfter?: number | null;
  connection?: Connection | null;
  fields?: Record<string, string> | null;
  oldestCursor?: string | null;
  cause?: unknown;
}

const brand = (name: string) => Symbol.for(`@pabbly/connect-platform/${name}`);

/**
 * Gives an error class its name and its brand. By the brand `instanceof` knows the errors of another copy of this
 * package, which a bundler or an old lock file can bring into the same process.
 */
export function named(errorClass: typeof PabblyConnectError, name: string): void {
  Object.defineProperty(errorClass, 'name', { value: name });
  Object.defineProperty(errorClass.prototype, 'name', { value: name, configurable: true, writable: true });
  Object.defineProperty(errorClass.prototype, brand(name), { value: true });
  Object.defineProperty(errorClass, Symbol.hasInstance, {
    value(this: unknown, value: unknown) {
      // A subclass that a user derives inherits this method, but has no brand of its own.
      if (this !== errorClass) return Function.prototype[Symbol.hasInstance].call(this, value);
      return typeof value === 'object' && value !== null && brand(name) in value;
    },
  });
}

/** Any failed call. What went wrong is said by the subclass, and in detail by the code. */
export class PabblyConnectError extends Error {
  static {
    named(this, 'PabblyConnectError');
  }

  /** The HTTP status of the answer; `null` where there was no usable answer. */
  readonly status: number | null;
  /**
   * The service's `data.code` as it came, or the SDK's own for errors that no answer caused; `null` for an answer
   * without a code. A newer service may send others than these.
   */
  readonly code: ErrorCode | null;
  /** The answer behind the error, without credentials. */
  readonly response: ErrorResponse | null;
  /** How many requests were sent for this call. */
  readonly attempts: number;
  /** How many seconds the service asked to wait before the next request (`Retry-After`); `null` where it did not. */
  readonly retryAfter: number | null;
  /** With a `WaitTimeoutError`, the connection as the wait last saw it, if it did. */
  declare readonly connection?: Connection | null;

  /** Of `submitCredentials` and `importConnection`, what is wrong with each field, as sentences for the customer. */
  declare readonly fields?: Record<string, string> | null;

  /** With a `CursorExpiredError`, where the feed of events begins now. */
  declare readonly oldestCursor?: string | null;

  constructor(message?: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.status = details.status ?? null;
    this.code = details.code ?? null;
    this.response = details.response ?? null;
    this.attempts = details.attempts ?? 0;
    this.retryAfter = details.retryAfter ?? null;
    if (details.connection !== undefined) this.connection = details.connection;
    if (details.fields != null) this.fields = details.fields;
    if (details.oldestCursor != null) this.oldestCursor = details.oldestCursor;
  }

  /** For logs: everything but the stack and the cause. */
  toJSON(): Record<string, unknown> {
    const { name, message } = this;
    return { name, message, ...(this as object) };
  }
}
