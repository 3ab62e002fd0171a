// A request link: made to be handed to the front end, so it serialises whole; only its printed forms hide its secrets,
// the token and the hosted page's address.
import type { RequestLink } from './generated/models.js';
import { inspect, printed, REDACTED, type Inspect } from './redact.js';

class PrintedLink {
  toString() {
    return `RequestLink { connection_id: ${(this as unknown as RequestLink).connection_id} }`;
  }

  [inspect](_depth: number, options: object, print?: Inspect) {
    return printed('RequestLink', { ...this, request_token: REDACTED, request_link: REDACTED }, options, print);
  }
}
Object.defineProperty(PrintedLink, 'name', { value: 'RequestLink' });

export function requestLink(wire: RequestLink): RequestLink {
  return Object.setPrototypeOf(wire, PrintedLink.prototype) as RequestLink;
}
