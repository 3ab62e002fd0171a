// Proxied calls. Bodies pass part by part, as fast as the other side takes them: nothing is read that nobody asked for.
import type { CallOptions } from './generated/options.js';
import type { Customer } from './generated/client.js';
import type { Exchange } from './generated/native.js';
import { here, refusal } from './failure.js';
import { native } from './native.js';

/** Names and values: an object, or whatever gives pairs, such as `URLSearchParams`, `Headers` and `Map`. */
export type Pairs = Iterable<readonly [string, string]> | Record<string, string | number | boolean | null | undefined>;

/** The body of a proxied request. Only a string or bytes can be sent again. */
export type ProxyBody =
  | string
  | Uint8Array
  | ArrayBuffer
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>;

/** What is told of a response before its body. */
export interface Head {
  status: number;
  headers: [string, string][];
}

/** Names and values in turn; what is not given is left out. */
export function pairs(given: Pairs | null | undefined): string[] | undefined {
  if (given == null) return undefined;
  const all: Iterable<readonly [string, unknown]> = Symbol.iterator in given ? given : Object.entries(given);
  return [...all].filter(([, value]) => value != null).flatMap(([name, value]) => [name, String(value)]);
}

/** A body that is there whole. */
export function whole(body: unknown): Uint8Array | undefined {
  if (typeof body === 'string') return Buffer.from(body);
  if (body instanceof Uint8Array) return body;
  return body instanceof ArrayBuffer ? new Uint8Array(body) : undefined;
}

/** Where the parts of a body come from. */
export interface Source {
  next(): Promise<{ done?: boolean | undefined; value?: unknown }>;
  /** Tells the source that no more is wanted, also while it is asked for more. */
  cancel(): void;
}

/** A body that comes in parts; `undefined` where it is none of those. */
export function source(body: unknown): Source | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  if (body instanceof ReadableStream) {
    const reader = (body as ReadableStream<unknown>).getReader();
    return { next: () => reader.read(), cancel: () => void reader.cancel().catch(() => undefined) };
  }
  if (!(Symbol.asyncIterator in body)) return undefined;
  const iterator = (body as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  return { next: () => iterator.next(), cancel: () => void iterator.return?.().catch(() => undefined) };
}

/** Passes a body on until it ends or no more is wanted. Rejects with what the source rejects with. */
export async function feed(
  exchange: Exchange,
  { next, cancel }: Source,
  send: (part: Uint8Array) => Promise<boolean>,
): Promise<void> {
  try {
    for (;;) {
      const { done, value } = await next();
      if (done) return exchange.finish();
      const part = whole(value);
      if (!part) throw new TypeError('a body that comes in parts must give bytes or strings');
      if (!(await send(part))) return cancel();
    }
  } catch (error) {
    exchange.close();
    cancel();
    throw error;
  }
}

/** Statuses whose responses have no body, which WHATWG's `Response` insists on. */
const WITHOUT_BODY = new Set([101, 204, 205, 304]);

/** The provider's response. `next` tells whether there is another part; `end` is called when there is none. */
export function response(
  { status, headers }: Head,
  exchange: Exchange,
  next: () => Promise<boolean>,
  end: () => void,
): Response {
  const close = () => {
    exchange.close();
    end();
  };
  try {
    if (WITHOUT_BODY.has(status)) {
      close();
      return new Response(null, { status, headers });
    }
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      try {
        if (await next()) return controller.enqueue(exchange.take() as Uint8Array);
      } catch (error) {
        close();
        throw error;
      }
      end();
      controller.close();
    };
    return new Response(new ReadableStream({ pull, cancel: close }, { highWaterMark: 0 }), { status, headers });
  } catch (error) {
    close();
    throw error;
  }
}

/** Options of `proxyFetch`. */
export interface ProxyFetchOptions extends Omit<CallOptions, 'signal'> {
  /** The connection's `api_base_url`, below which the library's URLs must lie. */
  baseUrl: string;
}

/**
 * A function like `fetch` for libraries that take one: their requests go through the platform, which adds the
 * credential. An `Authorization` or `Cookie` of the library's is left out.
 *
 * The provider's responses are given back as they are: redirects are not followed. What the platform itself answers
 * rejects with the errors of `proxy`.
 */
export function proxyFetch(customer: Customer, id: string, options: ProxyFetchOptions): typeof fetch {
  return async (input, init) => {
    const place = here();
    const given = init?.body;
    const request = new Request(input, init && { ...init, duplex: 'half' });
    const { baseUrl, ...ofCall } = options;
    let path, headers;
    try {
      const url = request.url.replace(/#.*/, '');
      [path = '', ...headers] = native.libraryRequest(baseUrl, url, [...request.headers].flat());
    } catch (thrown) {
      throw refusal(thrown, place);
    }
    const sent = headers.flatMap((name, i) => (i % 2 ? [] : [[name, headers[i + 1]] as [string, string]]));
    // It is what a `fetch` asks for that decodes it.
    const kept = sent.filter(([name]) => name !== 'accept-encoding');
    if (given instanceof Blob) kept.push(['content-length', String(given.size)]);
    const isSmall = given instanceof URLSearchParams || given instanceof FormData;
    const body = whole(given) ?? (isSmall ? new Uint8Array(await request.arrayBuffer()) : request.body);
    const { method, signal } = request;
    return customer.proxy(id, { ...ofCall, method, path, headers: kept, ...(body && { body }), signal });
  };
}
