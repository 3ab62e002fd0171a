// What the client and its methods have in common: settings, the native client, and calls by the name of their method.
import { cancelAll, closed, port, run, whenAborted } from './call.js';
import { refusal, type Place } from './failure.js';
import type { Client as NativeClient, Exchange, Pages } from './generated/native.js';
import {
  KNOWN,
  type CallOptions,
  type EventsQuery,
  type ProxyRequest,
  type Settings,
  type WaitOptions,
} from './generated/options.js';
import { EventFeed, type EventPage } from './feed.js';
import { Listener } from './hooks.js';
import { List } from './list.js';
import { native } from './native.js';
import { check, given } from './options.js';
import { feed, pairs, response, source, whole, type Head } from './proxy.js';

/** What distinguishes one call from another. */
export interface Call<T> {
  method: string;
  /** The customer, where the call is about one. */
  email?: string;
  arguments?: string[];
  /** The options that only this method has, and their names. */
  query?: object | undefined;
  known?: ReadonlySet<string>;
  /** The options of every call, or of a wait. */
  options: CallOptions | WaitOptions | undefined;
  /** Their names, where they are not those of every call. */
  merged?: ReadonlySet<string>;
  /** Where it was called from. */
  place: Place;
  /** Makes the result of the answer's `data`. */
  make(data: never): T;
}

declare const SDK_VERSION: string;
const { bun, deno, node } = process.versions as Record<string, string>;
const RUNTIME = bun ? `bun/${bun}` : deno ? `deno/${deno}` : `node/${node}`;
const USER_AGENT = `pabbly-connect-node/${SDK_VERSION} ${RUNTIME}`;

// The first versions of Node 18 have no such symbol.
export const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');

/** What is no text becomes an empty one, which the core refuses with the right words. */
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Makes the calls of one client. */
export class Caller {
  /** `undefined` once closed. It holds the key, which JavaScript cannot read. */
  #native: NativeClient | undefined;
  readonly #listener: Listener;

  constructor(options: Settings, place: Place) {
    check(options, KNOWN.settings, place);
    // Read here, since a worker may have an environment of its own, which the core does not see.
    const { PC_TENANT_KEY, PC_BASE_URL } = process.env;
    const { logger, onRequest, onResponse, onRetry, onWait, ...own } = options;
    const settings = {
      ...own,
      apiKey: own.apiKey ?? PC_TENANT_KEY,
      baseUrl: own.baseUrl ?? (PC_BASE_URL || undefined),
      userAgent: own.userAgent ? `${own.userAgent} ${USER_AGENT}` : USER_AGENT,
    };
    this.#listener = new Listener(options);
    try {
      this.#native = new native.Client(port, settings, this.#listener.number);
    } catch (thrown) {
      throw refusal(thrown, place);
    }
  }

  /** Starts a call. */
  run<T>(call: Call<T>): Promise<T> {
    const { method, email, options, query } = call;
    return this.#start(call, (client, number) => {
      const polls = (options as WaitOptions | undefined)?.onPoll != null;
      const address = email === undefined && !('email' in call) ? undefined : text(email);
      client.start(number, method, address, call.arguments ?? [], given(query, options), polls);
    });
  }

  /** A list, of which nothing is sent yet. */
  list<P, T>(call: Call<P>, items: (page: P) => T[]): List<P, T> {
    if ('email' in call) this.checkEmail(call.email, call.place);
    return new List({ page: () => this.run(call), pages: () => this.#pages(call), items });
  }

  /** The feed, of which nothing is sent yet. */
  feed(call: Call<EventPage>): EventFeed {
    return new EventFeed(this.#pages(call), (call.query as EventsQuery | undefined)?.after ?? null);
  }

  /** Begins to go through pages: each call asks for the next. */
  #pages<P>(call: Call<P>): (place: Place) => Promise<P | null> {
    const { method, email, options, query } = call;
    const open = (client: NativeClient) => client.pages(method, email, [], given(query, options));
    let pages: Pages | undefined;
    return (place) => this.#start<P | null>({ ...call, place }, (client, number) => (pages ??= open(client)).next(number));
  }

  /** Starts a proxied call. The bodies pass on as the program gives and reads them. */
  proxy(call: Call<Response>): Promise<Response> {
    const { email, arguments: [id = ''] = [], options, place } = call;
    const { body, query, headers, signal, ...own } = (options ?? {}) as ProxyRequest;
    const bytes = whole(body);
    let parts: ReturnType<typeof source>;
    let exchange: Exchange | undefined;
    const head = this.#start<Head>({ ...call, make: (head: Head) => head }, (client, number) => {
      const others = given({ ...own, query: pairs(query), headers: pairs(headers) });
      if (bytes === undefined) parts = source(body);
      if (body != null && !bytes && !parts) throw new Error('body must be a string, bytes, or a stream of them');
      exchange = client.proxy(number, text(email), id, bytes, parts !== undefined, others);
    });
    if (!exchange) return head as Promise<never>;
    const begun = exchange;
    const step = (start: (number: number) => void): Promise<boolean> => {
      if (this.#native === undefined) throw closed(place);
      signal?.throwIfAborted();
      return run({ owner: this, place, signal, make: (answer: boolean) => answer, start });
    };
    const fed = parts && feed(begun, parts, (part) => step((number) => begun.send(number, part)));
    const answered = fed ? Promise.race([head, fed.then(() => head)]) : head;
    return answered.then(
      (head) => {
        // Weak, so that a response that nobody holds any more is not held here either, and its call ends.
        const weak = new WeakRef(begun);
        const release = signal ? whenAborted(signal, () => weak.deref()?.close()) : undefined;
        const end = () => {
          release?.();
          parts?.cancel();
        };
        return response(head, begun, async () => step((number) => begun.next(number)), end);
      },
      (error: unknown) => {
        parts?.cancel();
        throw error;
      },
    );
  }

  checkEmail(email: unknown, place: Place): void {
    try {
      this.#native?.checkEmail(text(email));
    } catch (thrown) {
      throw refusal(thrown, place);
    }
  }

  setApiKey(apiKey: string, place: Place): void {
    try {
      this.#native?.setApiKey(text(apiKey));
    } catch (thrown) {
      throw refusal(thrown, place);
    }
  }

  close(): void {
    this.#native = undefined;
    cancelAll(this);
  }

  /** Throws where an option does not exist, or the call was cancelled before it began. */
  protected checkOptions({ options, merged, query, known, place }: Omit<Call<unknown>, 'make'>): void {
    check(options, merged ?? KNOWN.call, place);
    if (known) check(query, known, place);
    options?.signal?.throwIfAborted();
  }

  #start<T>(call: Call<T>, start: (client: NativeClient, number: number) => void): Promise<T> {
    const { options, place } = call;
    const client = this.#native;
    try {
      if (!client) throw closed(place);
      this.checkOptions(call);
    } catch (reason) {
      if ('email' in call) this.checkEmail(call.email, place);
      return Promise.reject(reason);
    }
    return run({
      owner: this,
      place,
      signal: options?.signal,
      onPoll: (options as WaitOptions | undefined)?.onPoll,
      make: call.make,
      start: (number) => {
        try {
          start(client, number);
        } catch (thrown) {
          // Whatever else is wrong, a wrong e-mail is what is told.
          if ('email' in call) this.checkEmail(call.email, place);
          throw thrown;
        }
      },
    });
  }
}
