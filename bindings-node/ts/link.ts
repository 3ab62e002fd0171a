// A request link: made to be handed to the front end, so it serialises whole; only its printed forms hide its secrets,
// the token and the hosted page's address.
import type { RequestLink as Link } from './generated/models.js';
import { inspect, printed, REDACTED, type Inspect } from './redact.js';

/**
 * A hosted page where one customer connects one app. Hand `request_link`, `request_token` and `connection_id` to the
 * front end (`res.json(link)` does), and nothing else of the SDK's.
 */
export interface RequestLink extends Link {}

class PrintedLink {
  toString() {
    return `RequestLink { connection_id: ${(this as unknown as Link).connection_id} }`;
  }

  [inspect](_depth: number, options: object, print?: Inspect) {
    return printed('RequestLink', { ...this, request_token: REDACTED, request_link: REDACTED }, options, print);
  }
}
Object.defineProperty(PrintedLink, 'name', { value: 'RequestLink' });

export function requestLink(wire: Link): RequestLink {
  return Object.setPrototypeOf(wire, PrintedLink.prototype) as RequestLink;
}
