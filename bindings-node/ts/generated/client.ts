// The client and its methods.
// Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.
import { asyncDispose, Caller } from '../caller.js';
import { here } from '../failure.js';
import { requestLink } from '../link.js';
import type { List } from '../list.js';
import { inspect, printed, REDACTED, type Inspect } from '../redact.js';
import { token, type Token } from '../token.js';
import type { App, AppPage, Connection, ConnectionPage, RequestLink } from './models.js';
import {
  KNOWN,
  type CallOptions,
  type ListAppsQuery,
  type LinkRequest,
  type WaitOptions,
  type ListConnectionsQuery,
  type Settings,
} from './options.js';

/** The response as it came. */
const whole = <T>(data: T): T => data;
const nothing = (): void => undefined;

/**
 * A client of the connection manager for one tenant. Construct it once and use it everywhere: it keeps connections
 * open. Its key is only for a backend.
 *
 * Every call about connections names the customer first, by e-mail, and throws synchronously where it is missing or
 * malformed. Take the address from your own authenticated session.
 */
export class PabblyConnectPlatform {
  readonly #caller: Caller;

  /** Checks the settings. Nothing is sent. */
  constructor(options: Settings = {}) {
    this.#caller = new Caller(options, here());
  }

  /** The same calls for one customer, without the e-mail; it is checked here. */
  customer(email: string): Customer {
    this.#caller.checkEmail(email, here());
    return new Customer(this, email);
  }

  /** The app catalogue. `await` it for one page, `for await` it for all. Needs the capability `apps`. */
  listApps(query?: ListAppsQuery, options?: CallOptions): List<AppPage, App> {
    return this.#caller.list(
      {
        method: 'listApps',
        query,
        known: KNOWN.listApps,
        options,
        place: here(),
        make: whole<AppPage>,
      },
      (page) => page.apps,
    );
  }

  /**
   * One app of the catalogue. Needs the capability `apps`.
   *
   * Rejects with `PabblyConnectError` with the code `app_not_found` for an unknown one.
   */
  getApp(appId: string, options?: CallOptions): Promise<App> {
    return this.#caller.run({
      method: 'getApp',
      arguments: [appId ?? ''],
      options,
      place: here(),
      make: whole<App>,
    });
  }

  /**
   * Makes a hosted page where the customer connects an app. Needs the capability `connections`.
   *
   * Hand the result's `request_link`, `request_token` and `connection_id` to your front end. All options but `appId`
   * and `name` are extensions of the guide's contract.
   */
  createRequestLink(email: string, request: LinkRequest, options?: CallOptions): Promise<RequestLink> {
    return this.#caller.run({
      method: 'createRequestLink',
      email,
      query: request ?? {},
      known: KNOWN.createRequestLink,
      options,
      place: here(),
      make: requestLink,
    });
  }

  /**
   * One connection and its status. Needs the capability `connections`.
   *
   * Rejects with `ConnectionDeletedError` where there is no such connection of this tenant and customer.
   */
  getConnection(email: string, id: string, options?: CallOptions): Promise<Connection> {
    return this.#caller.run({
      method: 'getConnection',
      email,
      arguments: [id ?? ''],
      options,
      place: here(),
      make: whole<Connection>,
    });
  }

  /**
   * Waits until the connection is no longer pending, and gives it. Needs the capability `connections`.
   *
   * Rejects with `WaitTimeoutError` with the connection if a poll saw it, when the time is over.
   */
  waitForConnection(email: string, id: string, options?: WaitOptions): Promise<Connection> {
    return this.#caller.run({
      method: 'waitForConnection',
      email,
      arguments: [id ?? ''],
      options,
      wait: true,
      place: here(),
      make: whole<Connection>,
    });
  }

  /**
   * Makes a connection active whose link was made with `confirm`. Needs the capability `connections`.
   *
   * Take the e-mail from the session of that very request: then nobody can have their link finished by somebody else.
   *
   * `code` is the `confirmation_code` with which the customer's browser came to `returnUrl`.
   *
   * Rejects with `ConnectionDeletedError` where the session's customer has no such connection.
   */
  confirmConnection(email: string, id: string, code: string, options?: CallOptions): Promise<Connection> {
    return this.#caller.run({
      method: 'confirmConnection',
      email,
      arguments: [id ?? '', code ?? ''],
      options,
      place: here(),
      make: whole<Connection>,
    });
  }

  /**
   * A credential that works now, refreshed where needed. Ask each time; never store or log it. Needs the capability
   * `token`.
   *
   * Rejects with `NeedsReconnectionError` where the grant was revoked or has expired: send the customer through the
   * connect flow again.
   */
  getToken(email: string, id: string, options?: CallOptions): Promise<Token> {
    return this.#caller.run({
      method: 'getToken',
      email,
      arguments: [id ?? ''],
      options,
      place: here(),
      make: token,
    });
  }

  /**
   * The customer's connections that this tenant made. `await` it for one page, `for await` it for all. Needs the
   * capability `connections`.
   */
  listConnections(email: string, query?: ListConnectionsQuery, options?: CallOptions): List<ConnectionPage, Connection> {
    return this.#caller.list(
      {
        method: 'listConnections',
        email,
        query,
        known: KNOWN.listConnections,
        options,
        place: here(),
        make: whole<ConnectionPage>,
      },
      (page) => page.connections,
    );
  }

  /**
   * Deletes a connection and its credential. Needs the capability `delete`.
   *
   * Rejects with `ConnectionInUseError` while something uses it.
   */
  deleteConnection(email: string, id: string, options?: CallOptions): Promise<void> {
    return this.#caller.run({
      method: 'deleteConnection',
      email,
      arguments: [id ?? ''],
      options,
      place: here(),
      make: nothing,
    });
  }

  /**
   * Replaces the tenant key while calls are under way.
   *
   * What has begun finishes with the old key; later calls, and the next poll of a wait, use the new one. That is how a
   * key is rotated without a restart: rotate, give the new key to every client, promote.
   *
   * Throws `InvalidArgumentError` where it is no key; the client then keeps the old one.
   */
  setApiKey(apiKey: string): void {
    this.#caller.setApiKey(apiKey, here());
  }

  /** Ends the client: calls that are under way and calls that follow reject with a `CancelledError`. */
  close(): void {
    this.#caller.close();
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
}

/** The calls about one customer's connections, without the e-mail. Made by `PabblyConnectPlatform.customer`. */
export class Customer {
  /** The customer's e-mail. */
  readonly email: string;
  readonly #client: PabblyConnectPlatform;

  constructor(client: PabblyConnectPlatform, email: string) {
    this.#client = client;
    this.email = email;
  }

  /** See `PabblyConnectPlatform.createRequestLink`. */
  createRequestLink(request: LinkRequest, options?: CallOptions): Promise<RequestLink> {
    return this.#client.createRequestLink(this.email, request, options);
  }

  /** See `PabblyConnectPlatform.getConnection`. */
  getConnection(id: string, options?: CallOptions): Promise<Connection> {
    return this.#client.getConnection(this.email, id, options);
  }

  /** See `PabblyConnectPlatform.waitForConnection`. */
  waitForConnection(id: string, options?: WaitOptions): Promise<Connection> {
    return this.#client.waitForConnection(this.email, id, options);
  }

  /** See `PabblyConnectPlatform.confirmConnection`. */
  confirmConnection(id: string, code: string, options?: CallOptions): Promise<Connection> {
    return this.#client.confirmConnection(this.email, id, code, options);
  }

  /** See `PabblyConnectPlatform.getToken`. */
  getToken(id: string, options?: CallOptions): Promise<Token> {
    return this.#client.getToken(this.email, id, options);
  }

  /** See `PabblyConnectPlatform.listConnections`. */
  listConnections(query?: ListConnectionsQuery, options?: CallOptions): List<ConnectionPage, Connection> {
    return this.#client.listConnections(this.email, query, options);
  }

  /** See `PabblyConnectPlatform.deleteConnection`. */
  deleteConnection(id: string, options?: CallOptions): Promise<void> {
    return this.#client.deleteConnection(this.email, id, options);
  }
}
