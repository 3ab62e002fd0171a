// How values print that hold a secret.

export const REDACTED = '[redacted]';

/** Node's name for the method that `console.log` and `util.inspect` ask first; Bun and Deno heed it too. */
export const inspect: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

/** What Node passes to that method, as far as it is used. */
export type Inspect = (value: unknown, options: object) => string;

/** `Name { shown }`, in the colours and depth that the caller of `util.inspect` wants. */
export function printed(name: string, shown: object, options: object, print: Inspect | undefined): string {
  return `${name} ${print ? print(shown, options) : JSON.stringify(shown)}`;
}
