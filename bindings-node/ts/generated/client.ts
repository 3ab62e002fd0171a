// The client and its methods.
// Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.
import { asyncDispose, Caller } from '../caller.js';
import { here } from '../failure.js';
import type { EventFeed, EventPage } from '../feed.js';
import { requestLink } from '../link.js';
import type { List } from '../list.js';
import { inspect, printed, REDACTED, type Inspect } from '../redact.js';
import { rotatedKey } from '../rotated-key.js';
import { token, type Token } from '../token.js';
import type {
  App,
  AppPage,
  AuthOptionList,
  Connection,
  ConnectionPage,
  KeyList,
  PromotedKey,
  RequestLink,
  RotatedKey,
  Submission,
  Verification,
} from './models.js';
import {
  KNOWN,
  type CallOptions,
  type ListAppsQuery,
  type LinkRequest,
  type WaitOptions,
  type TokenOptions,
  type ProxyRequest,
  type ListConnectionsQuery,
  type ConnectionChanges,
  type ImportedCredential,
  type SubmittedForm,
  type RotateKeyRequest,
  type PromoteKeyRequest,
  type EventsQuery,
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
  constructor(options?: Settings);
  /** @internal A client whose calls end in `caller`: the fake of the tests of those who use this package. */
  constructor(caller: Caller);
  constructor(options: Settings | Caller = {}) {
    this.#caller = options instanceof Caller ? options : new Caller(options, here());
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
      merged: KNOWN.wait,
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
  getToken(email: string, id: string, options?: TokenOptions): Promise<Token> {
    return this.#caller.run({
      method: 'getToken',
      email,
      arguments: [id ?? ''],
      options,
      merged: KNOWN.getToken,
      place: here(),
      make: token,
    });
  }

  /**
   * Calls the provider's API through the platform, which adds the connection's credential. Needs the capability
   * `proxy`.
   *
   * The provider's response is given back whatever its status, its body to be read as it arrives; only what the
   * platform itself answers is an error. Nothing that may have reached the provider is sent again: a 503 of the
   * platform is, where the body is no stream. `timeout` bounds each attempt up to the response's headers, and after
   * that the time until each next part of its body.
   *
   * Rejects with `NeedsReconnectionError` where the grant was revoked or has expired: send the customer through the
   * connect flow again.
   *
   * Rejects with `PabblyConnectError` with the code `provider_no_response` or `provider_timeout` where the provider may
   * have carried the request out.
   */
  proxy(email: string, id: string, request: ProxyRequest): Promise<Response> {
    return this.#caller.proxy({
      method: 'proxy',
      email,
      arguments: [id ?? ''],
      options: request,
      merged: KNOWN.proxy,
      place: here(),
      make: whole<Response>,
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
   * Changes a connection's name, labels or metadata, and gives the connection. What is left out stays. Needs the
   * capability `connections`.
   *
   * Rejects with `ConnectionDeletedError` where there is no such connection of this tenant and customer.
   */
  updateConnection(email: string, id: string, request?: ConnectionChanges, options?: CallOptions): Promise<Connection> {
    return this.#caller.run({
      method: 'updateConnection',
      email,
      arguments: [id ?? ''],
      query: request ?? {},
      known: KNOWN.updateConnection,
      options,
      place: here(),
      make: whole<Connection>,
    });
  }

  /**
   * Makes a connection of a credential that you have already, past the hosted page. Needs the capability `import`.
   *
   * Keys go into `fields`, an OAuth access token into `accessToken`; refresh tokens cannot be imported. The provider is
   * asked whether it accepts the credential, where that can be asked. You answer for the customer's consent.
   *
   * Rejects with `PabblyConnectError` with the code `invalid_request` and `fields`, a sentence for each field that is
   * at fault.
   */
  importConnection(email: string, request: ImportedCredential, options?: CallOptions): Promise<Connection> {
    return this.#caller.run({
      method: 'importConnection',
      email,
      query: request ?? {},
      known: KNOWN.importConnection,
      options,
      place: here(),
      make: whole<Connection>,
    });
  }

  /**
   * Checks the connection's credential at the provider. The connection stays as it is. Needs the capability
   * `connections`.
   *
   * Rejects with `NeedsReconnectionError` where the grant was revoked or has expired: send the customer through the
   * connect flow again.
   */
  verifyConnection(email: string, id: string, options?: CallOptions): Promise<Verification> {
    return this.#caller.run({
      method: 'verifyConnection',
      email,
      arguments: [id ?? ''],
      options,
      place: here(),
      make: whole<Verification>,
    });
  }

  /**
   * Marks a connection as in use: it cannot be deleted until the usage is removed. Repeating it changes nothing. Needs
   * the capability `connections`.
   *
   * Rejects with `ConnectionDeletedError` where there is no such connection of this tenant and customer.
   */
  addUsage(email: string, id: string, usageId: string, options?: CallOptions): Promise<void> {
    return this.#caller.run({
      method: 'addUsage',
      email,
      arguments: [id ?? '', usageId ?? ''],
      options,
      place: here(),
      make: nothing,
    });
  }

  /**
   * Marks a connection as no longer in use. Removing a usage that is not there succeeds as well. Needs the capability
   * `connections`.
   *
   * Rejects with `ConnectionDeletedError` where there is no such connection of this tenant and customer.
   */
  removeUsage(email: string, id: string, usageId: string, options?: CallOptions): Promise<void> {
    return this.#caller.run({
      method: 'removeUsage',
      email,
      arguments: [id ?? '', usageId ?? ''],
      options,
      place: here(),
      make: nothing,
    });
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
   * The ways to authorise a link's app, for a connection form of your own.
   *
   * The request token takes the place of the tenant key, which is not sent. Lists the options of all apps that the link
   * allows.
   *
   * Rejects with `ConnectionDeletedError` where there is no such link.
   */
  listAuthOptions(id: string, requestToken: string, options?: CallOptions): Promise<AuthOptionList> {
    return this.#caller.run({
      method: 'listAuthOptions',
      arguments: [id ?? '', requestToken ?? ''],
      options,
      place: here(),
      make: whole<AuthOptionList>,
    });
  }

  /**
   * Submits a connection form of your own.
   *
   * The request token takes the place of the tenant key, which is not sent. For OAuth, send the customer's browser to
   * the result's `authorize_url`.
   *
   * Rejects with `ConnectionDeletedError` where there is no such link.
   *
   * Rejects with `PabblyConnectError` with the code `invalid_request` and `fields`, a sentence for each field that is
   * at fault.
   */
  submitCredentials(id: string, requestToken: string, request: SubmittedForm, options?: CallOptions): Promise<Submission> {
    return this.#caller.run({
      method: 'submitCredentials',
      arguments: [id ?? '', requestToken ?? ''],
      query: request ?? {},
      known: KNOWN.submitCredentials,
      options,
      place: here(),
      make: whole<Submission>,
    });
  }

  /** The tenant's keys, without their text. Needs the capability `admin`. */
  listKeys(options?: CallOptions): Promise<KeyList> {
    return this.#caller.run({
      method: 'listKeys',
      options,
      place: here(),
      make: whole<KeyList>,
    });
  }

  /**
   * Makes a key's successor, which the result holds this once. Both keys work until `promoteKey`. Needs the capability
   * `admin`.
   *
   * Rejects with `PabblyConnectError` with the code `key_not_found` or `rotation_conflict` where the keys are not in
   * the state that this needs.
   */
  rotateKey(request?: RotateKeyRequest, options?: CallOptions): Promise<RotatedKey> {
    return this.#caller.run({
      method: 'rotateKey',
      query: request ?? {},
      known: KNOWN.rotateKey,
      options,
      place: here(),
      make: rotatedKey,
    });
  }

  /**
   * Retires a key in favour of its successor, which must have been used before. Needs the capability `admin`.
   *
   * Rejects with `PabblyConnectError` with the code `key_not_found` or `rotation_conflict` where the keys are not in
   * the state that this needs.
   */
  promoteKey(request?: PromoteKeyRequest, options?: CallOptions): Promise<PromotedKey> {
    return this.#caller.run({
      method: 'promoteKey',
      query: request ?? {},
      known: KNOWN.promoteKey,
      options,
      place: here(),
      make: whole<PromotedKey>,
    });
  }

  /**
   * The feed of what happens to the tenant's connections, OAuth clients and keys. `for await` gives one after the
   * other. Needs the capability `events`.
   *
   * Events come in their order, also those that happened while nobody asked. Store an event's `cursor` when you have
   * handled it: `after` goes on from there, also after a restart. Events are kept for 30 days. An iteration that has
   * begun retries 429, 502 to 504, broken connections and timeouts, and continues after the last event.
   *
   * Rejects with `CursorExpiredError` where `after` is older than the events that are kept.
   */
  events(query?: EventsQuery, options?: CallOptions): EventFeed {
    const place = here();
    return this.#caller.feed({ method: 'events', query, known: KNOWN.events, options, place, make: whole<EventPage> });
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
  getToken(id: string, options?: TokenOptions): Promise<Token> {
    return this.#client.getToken(this.email, id, options);
  }

  /** See `PabblyConnectPlatform.proxy`. */
  proxy(id: string, request: ProxyRequest): Promise<Response> {
    return this.#client.proxy(this.email, id, request);
  }

  /** See `PabblyConnectPlatform.listConnections`. */
  listConnections(query?: ListConnectionsQuery, options?: CallOptions): List<ConnectionPage, Connection> {
    return this.#client.listConnections(this.email, query, options);
  }

  /** See `PabblyConnectPlatform.updateConnection`. */
  updateConnection(id: string, request?: ConnectionChanges, options?: CallOptions): Promise<Connection> {
    return this.#client.updateConnection(this.email, id, request, options);
  }

  /** See `PabblyConnectPlatform.importConnection`. */
  importConnection(request: ImportedCredential, options?: CallOptions): Promise<Connection> {
    return this.#client.importConnection(this.email, request, options);
  }

  /** See `PabblyConnectPlatform.verifyConnection`. */
  verifyConnection(id: string, options?: CallOptions): Promise<Verification> {
    return this.#client.verifyConnection(this.email, id, options);
  }

  /** See `PabblyConnectPlatform.addUsage`. */
  addUsage(id: string, usageId: string, options?: CallOptions): Promise<void> {
    return this.#client.addUsage(this.email, id, usageId, options);
  }

  /** See `PabblyConnectPlatform.removeUsage`. */
  removeUsage(id: string, usageId: string, options?: CallOptions): Promise<void> {
    return this.#client.removeUsage(this.email, id, usageId, options);
  }

  /** See `PabblyConnectPlatform.deleteConnection`. */
  deleteConnection(id: string, options?: CallOptions): Promise<void> {
    return this.#client.deleteConnection(this.email, id, options);
  }
}
