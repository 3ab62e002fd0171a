// Webhooks: whether a request was signed with your endpoint's secret. The core says so.
import { here, refusal, refused } from './failure.js';
import type { Event } from './generated/models.js';
import { native } from './native.js';

/** The headers of a request: those of Node, or of the Fetch API. */
export type WebhookHeaders = Iterable<[string, string]> | Record<string, string | readonly string[] | undefined>;

/** Options of `verify`. */
export interface VerifyOptions {
  /** When the request came, where it was kept for a while. Default: now. */
  receivedAt?: Date | undefined;
}

/**
 * Verifies a webhook and gives its event. `body` is the request's as it came, as bytes or text: what was parsed and written
 * again is no longer what was signed. With several secrets one of them must fit, as while the endpoint's is rotated.
 *
 * Throws `WebhookVerificationError`, whose `code` says why, where the request is no webhook of this endpoint: respond with
 * 400, and do nothing that it says. Throws `InvalidArgumentError` where a secret is none.
 */
export function verify(
  headers: WebhookHeaders,
  body: string | Uint8Array | ArrayBuffer,
  secret: string | readonly string[],
  { receivedAt }: VerifyOptions = {},
): Event {
  const place = here();
  if (typeof body !== 'string' && !(body instanceof Uint8Array) && !(body instanceof ArrayBuffer)) {
    throw refused('body must be the bytes or the text of the request as it came, before anything parses it', place);
  }
  const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body as ArrayBuffer);
  const pairs = Symbol.iterator in headers ? [...(headers as Iterable<[string, string]>)] : Object.entries(headers);
  const flat = pairs.flatMap(([name, values]) => [values ?? []].flat().flatMap((value) => [name, value]));
  try {
    native.verifyWebhook(flat, bytes, [secret ?? []].flat(), receivedAt && receivedAt.getTime() / 1000);
  } catch (thrown) {
    throw refusal(thrown, place);
  }
  return JSON.parse(bytes.toString()) as Event;
}
