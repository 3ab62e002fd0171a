// The client: one method per call of the guide.
import { cancelAll, closed, port, run } from './call.js';
import { Customer } from './customer.js';
import { here, refusal, type Place } from './failure.js';
import type { App, Connection } from './generated/models.js';
import type { Client as NativeClient, Pages } from './generated/native.js';
import { Listener } from './hooks.js';
import { requestLink, type RequestLink } from './link.js';
import { List } from './list.js';
import { native } from './native.js';
import {
  check,
  KNOWN,
  type CallOptions,
  type LinkRequest,
  type ListAppsQuery,
  type ListConnectionsQuery,
  type Settings,
  type WaitOptions,
} from './options.js';
import { inspect, printed, REDACTED, type Inspect } from './redact.js';
import { token, type Token } from './token.js';

/** One page of a list. */
interface Page {
  /** Which page this is, from 1. */
  page?: number | null;
  /** How many items a full page holds. */
  limit?: number | null;
  /** How many items there are on all pages. */
  total?: number | null;
}

/** One page of the app catalogue. */
export interface AppPage extends Page {
  apps: App[];
}

/** One page of a customer's connections. */
export interface ConnectionPage extends Page {
  connections: Connection[];
}

/** What distinguishes one call from another. */
interface Call<T> {
  /** The customer, where the call is about one. */
  email?: string;
  options: CallOptions | WaitOptions | undefined;
  known?: ReadonlySet<string>;
  query?: object | undefined;
  knownInQuery?: ReadonlySet<string>;
  /** Where it was called from. */
  place: Place;
  onPoll?: WaitOptions['onPoll'];
  /** Makes the result of the answer's `data`. */
  make(data: never): T;
  start(client: NativeClient, number: number): void;
}

declare const SDK_VERSION: string;
const { bun, deno, node } = process.versions as Record<string, string>;
const RUNTIME = bun ? `bun/${bun}` : deno ? `deno/${deno}` : `node/${node}`;
const USER_AGENT = `pabbly-connect-node/${SDK_VERSION} ${RUNTIME}`;

// The first versions of Node 18 have no such symbol.
const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');

/** The answer as it came. */
const whole = <T>(data: T): T => data;
const nothing = (): void => undefined;

/** What is no text becomes an empty one, which the core refuses with the right words. */
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/**
 * A client of the connection manager for one tenant. Construct it once and use it everywhere: it keeps connections
 * open. Its key is only for a backend.
 *
 * Every call about connections names the customer first, by e-mail, and throws synchronously where it is missing or
 * malformed. Take the address from your own authenticated session.
 */
export class PabblyConnectPlatform {
  /** `undefined` once closed. It holds the key, which JavaScript cannot read. */
  #native: NativeClient | undefined;
  readonly #listener: Listener;

  /** Checks the settings. Nothing is sent. */
  constructor(options: Settings = {}) {
    const place = here();
    check(options, KNOWN.settings, place);
    // Read here, since a worker may have an environment of its own, which the core does not see.
    const { PC_TENANT_KEY, PC_BASE_URL } = process.env;
    const settings = {
      ...options,
      apiKey: options.apiKey ?? PC_TENANT_KEY,
      baseUrl: options.baseUrl ?? (PC_BASE_URL || undefined),
      userAgent: options.userAgent ? `${options.userAgent} ${USER_AGENT}` : USER_AGENT,
    };
    this.#listener = new Listener(options);
    try {
      this.#native = new native.Client(port, settings, this.#listener.number);
    } catch (thrown) {
      throw refusal(thrown, place);
    }
  }

  /** The app catalogue: `await` it for one page, `for await` it for all apps. Needs the capability `apps`. */
  listApps(query?: ListAppsQuery, options?: CallOptions): List<AppPage, App> {
    const place = here();
    return this.#list(
      { options, query, knownInQuery: KNOWN.apps, place, make: whole<AppPage> },
      (client, number) => client.listApps(number, query, options),
      (client) => client.appPages(query, options),
      (page) => page.apps,
    );
  }

  /** One app of the catalogue. Needs the capability `apps`. */
  getApp(appId: string, options?: CallOptions): Promise<App> {
    return this.#run({
      options,
      place: here(),
      make: whole<App>,
      start: (client, number) => client.getApp(number, appId ?? '', options),
    });
  }

  /** The same calls for one customer, without the e-mail; it is checked here. */
  customer(email: string): Customer {
    this.#checkEmail(email, here());
    return new Customer(this, email);
  }

  /**
   * Makes a hosted page where the customer connects an app. Needs the capability `connections`.
   *
   * Hand the result's `request_link`, `request_token` and `connection_id` to your front end.
   */
  createRequestLink(email: string, request: LinkRequest, options?: CallOptions): Promise<RequestLink> {
    return this.#run({
      email,
      options,
      query: request ?? {},
      knownInQuery: KNOWN.link,
      place: here(),
      make: requestLink,
      start: (client, number) => client.createRequestLink(number, text(email), request ?? {}, options),
    });
  }

  /** One connection and its status. Needs the capability `connections`. */
  getConnection(email: string, id: string, options?: CallOptions): Promise<Connection> {
    return this.#run({
      email,
      options,
      place: here(),
      make: whole<Connection>,
      start: (client, number) => client.getConnection(number, text(email), id ?? '', options),
    });
  }

  /**
   * Waits until the connection is no longer `pending`, and gives it. Needs the capability `connections`.
   *
   * Without `timeoutMs` it waits until the link itself lapses; else it rejects with a `WaitTimeoutError`.
   */
  waitForConnection(email: string, id: string, options?: WaitOptions): Promise<Connection> {
    return this.#run({
      email,
      options,
      known: KNOWN.wait,
      onPoll: options?.onPoll,
      place: here(),
      make: whole<Connection>,
      start: (client, number) =>
        client.waitForConnection(number, text(email), id ?? '', options, options?.onPoll != null),
    });
  }

  /**
   * Makes a connection active whose link was made with `confirm`. Needs the capability `connections`.
   *
   * `code` is the `confirmation_code` with which the customer's browser came to `returnUrl`. Take the e-mail from the
   * session of that very request: then nobody can have their link finished by somebody else.
   */
  confirmConnection(email: string, id: string, code: string, options?: CallOptions): Promise<Connection> {
    return this.#run({
      email,
      options,
      place: here(),
      make: whole<Connection>,
      start: (client, number) =>
        client.confirmConnection(number, text(email), id ?? '', code ?? '', options),
    });
  }

  /** A credential that works now. Ask each time; never store or log it. Needs the capability `token`. */
  getToken(email: string, id: string, options?: CallOptions): Promise<Token> {
    return this.#run({
      email,
      options,
      place: here(),
      make: token,
      start: (client, number) => client.getToken(number, text(email), id ?? '', options),
    });
  }

  /**
   * The customer's connections that this tenant made: `await` for one page, `for await` for all. Needs the
   * capability `connections`.
   */
  listConnections(
    email: string,
    query?: ListConnectionsQuery,
    options?: CallOptions,
  ): List<ConnectionPage, Connection> {
    const place = here();
    this.#checkEmail(email, place);
    return this.#list(
      { options, query, knownInQuery: KNOWN.connections, place, make: whole<ConnectionPage> },
      (client, number) => client.listConnections(number, email, query, options),
      (client) => client.connectionPages(email, query, options),
      (page) => page.connections,
    );
  }

  /** Deletes a connection and its credential. Needs the capability `delete`. */
  deleteConnection(email: string, id: string, options?: CallOptions): Promise<void> {
    return this.#run({
      email,
      options,
      place: here(),
      make: nothing,
      start: (client, number) => client.deleteConnection(number, text(email), id ?? '', options),
    });
  }

  /**
   * Exchanges the tenant key, as rotating it without a restart needs: calls that have begun finish with the old key;
   * later ones, and the next poll of a wait, use the new one. Throws where it is no key, and keeps the old one.
   */
  setApiKey(apiKey: string): void {
    try {
      this.#native?.setApiKey(text(apiKey));
    } catch (thrown) {
      throw refusal(thrown, here());
    }
  }

  /** Ends the client: calls that are under way and calls that follow reject with a `CancelledError`. */
  close(): void {
    this.#native = undefined;
    cancelAll(this);
  }

  /** `await using` closes the client at the end of the block. */
  [asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  [inspect](_depth: number, options: object, print?: Inspect): string {
    return printed('PabblyConnectPlatform', this.toJSON(), options, print);
  }

  toJSON(): object {
    return { apiKey: REDACTED };
  }

  #run<T>(call: Call<T>): Promise<T> {
    const { options, place } = call;
    const client = this.#native;
    try {
      if (!client) throw closed(place);
      check(options, call.known ?? KNOWN.call, place);
      if (call.knownInQuery) check(call.query, call.knownInQuery, place);
      options?.signal?.throwIfAborted();
    } catch (reason) {
      if ('email' in call) this.#checkEmail(call.email, place);
      return Promise.reject(reason);
    }
    return run({
      owner: this,
      place,
      signal: options?.signal,
      onPoll: call.onPoll,
      make: call.make,
      start: (number) => {
        try {
          call.start(client, number);
        } catch (thrown) {
          // Whatever else is wrong, a wrong e-mail is what is told.
          if ('email' in call) this.#checkEmail(call.email, place);
          throw thrown;
        }
      },
    });
  }

  #list<P extends Page, T>(
    call: Omit<Call<P>, 'start'>,
    start: Call<P>['start'],
    open: (client: NativeClient) => Pages,
    items: (page: P) => T[],
  ): List<P, T> {
    return new List({
      page: () => this.#run({ ...call, start }),
      pages: () => {
        let pages: Pages | undefined;
        return (place) => this.#run<P | null>({
          ...call,
          place,
          start: (client, number) => (pages ??= open(client)).next(number),
        });
      },
      items,
    });
  }

  #checkEmail(email: unknown, place: Place): void {
    try {
      this.#native?.checkEmail(text(email));
    } catch (thrown) {
      throw refusal(thrown, place);
    }
  }
}
