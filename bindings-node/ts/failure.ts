// From what the native library tells about a failed call to the error that the caller gets.
import { PabblyConnectError, type ErrorDetails } from './error.js';
import * as classes from './generated/errors.js';

/** An error of the core, as JSON. */
interface Failure extends ErrorDetails {
  class: string;
  message: string;
  /** The causes' messages, the nearest first. */
  causes: string[];
}

/** Where a call was made, kept without the cost of making it readable. */
export interface Place {
  stack?: string;
}

export function here(): Place {
  const place: Place = {};
  Error.captureStackTrace?.(place);
  return place;
}

/** Makes the error, whose stack begins at the caller's line. */
export function failure({ class: name, message, causes, ...details }: Failure, place: Place): PabblyConnectError {
  const cause = causes.reduceRight<Error | undefined>((inner, text) => bare(text, inner), undefined);
  if (details.connection === null && name !== 'WaitTimeoutError') delete details.connection;
  const error = new ((classes as Partial<Record<string, typeof PabblyConnectError>>)[name] ?? PabblyConnectError)(message, cause ? { ...details, cause } : details);
  return placed(error, place);
}

/** What the native library throws before anything is sent: an error of the core as JSON, or a value of a wrong type. */
export function refusal(thrown: unknown, place: Place): PabblyConnectError {
  if (thrown instanceof PabblyConnectError) return thrown;
  const { message } = thrown as Error;
  if (message.startsWith('{')) return failure(JSON.parse(message) as Failure, place);
  return refused(message, place);
}

/** A value that was refused before anything was sent. */
export function refused(message: string, place: Place): PabblyConnectError {
  return placed(new classes.InvalidArgumentError(message, { code: 'invalid_argument' }), place);
}

/** Replaces an error's stack, which shows where it was made, by the caller's. */
export function placed<E extends Error>(error: E, place: Place): E {
  const frames = typeof place.stack === 'string' ? place.stack.split('\n') : [];
  // The first lines are a heading, and this package's own frames and the engine's between them.
  const caller = frames.findIndex((line) => /^\s+at /.test(line) && !line.includes(__filename) && !line.includes('(<anonymous>)'));
  const stack = [`${error.name}: ${error.message}`, ...(caller < 0 ? [] : frames.slice(caller))].join('\n');
  Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true });
  return error;
}

function bare(message: string, cause: Error | undefined): Error {
  const error = cause ? new Error(message, { cause }) : new Error(message);
  // Its own stack would show the SDK alone.
  Object.defineProperty(error, 'stack', { value: `Error: ${message}`, configurable: true, writable: true });
  return error;
}
