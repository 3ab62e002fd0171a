// The refusal of options that do not exist. What does exist is generated from the manifest.
import { refused, type Place } from './failure.js';
import { credential } from './token.js';

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

/** Those options that the native library shall have, of all arguments that hold some. */
export function given(...arguments_: (object | null | undefined)[]): object | undefined {
  let all: Record<string, unknown> | undefined;
  for (const options of arguments_) {
    for (const name in options) {
      if (name !== 'signal' && name !== 'onPoll') (all ??= {})[name] = crossing(name, options[name as never]);
    }
  }
  return all;
}

/** An option's value as the native library takes it: an object as JSON text. */
function crossing(name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  try {
    return { json: credential(value) ?? JSON.stringify(value) };
  } catch {
    throw new Error(`${name} holds something that is no JSON`);
  }
}
