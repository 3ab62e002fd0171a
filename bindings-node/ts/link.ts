// Links to hosted pages: made to be handed to a browser, so they serialise whole; only their printed forms hide what opens
// the page.
import type { AdminLink, RequestLink } from './generated/models.js';
import { inspect, printed, REDACTED, type Inspect } from './redact.js';

/** Gives objects a name to print, and the members to print as `[redacted]`. A text of one shows the member `label` alone. */
function printedAs<T extends object>(name: string, label: keyof T & string, secrets: (keyof T & string)[]): (wire: T) => T {
  class PrintedLink {
    toString() {
      return `${name} { ${label}: ${(this as unknown as T)[label]} }`;
    }

    [inspect](_depth: number, options: object, print?: Inspect) {
      const hidden = Object.fromEntries(secrets.map((secret) => [secret, REDACTED]));
      return printed(name, { ...this, ...hidden }, options, print);
    }
  }
  Object.defineProperty(PrintedLink, 'name', { value: name });
  return (wire) => Object.setPrototypeOf(wire, PrintedLink.prototype) as T;
}

export const requestLink = printedAs<RequestLink>('RequestLink', 'connection_id', ['request_token', 'request_link']);
export const adminLink = printedAs<AdminLink>('AdminLink', 'expires_at', ['admin_link']);
