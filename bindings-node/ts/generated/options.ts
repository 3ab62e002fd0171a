// What a caller may pass.
// Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.
import type { Hooks, Logger, Poll } from '../hooks.js';
import type { ConnectionStatus } from './models.js';
import type { Pairs, ProxyBody } from '../proxy.js';
import type { Token } from '../token.js';

/** Settings of a client. */
export interface Settings extends Hooks {
  /** The tenant key, `pk_live_…`. Default: `PC_TENANT_KEY` of the environment. */
  apiKey?: string | undefined;
  /** Where the service is. Default: `PC_BASE_URL` of the environment, else `https://connect.pabbly.com/platform/v1`. */
  baseUrl?: string | undefined;
  /** How often a 503 is tried again; 0 means never. Nothing else is ever tried again. Default: 2. */
  maxRetries?: number | undefined;
  /** Bounds each attempt, its body included. Default: 30 s. */
  timeoutMs?: number | undefined;
  /** The longest pause before the first retry; it doubles with each, up to 16 times. Default: 500 ms. */
  backoffMs?: number | undefined;
  /**
   * Allows plain `http://` to other machines than this one. Over it the tenant key and the vended credentials can be
   * read by everybody in between. Default: false.
   */
  allowInsecureHttp?: boolean | undefined;
  /**
   * Sends everything through this proxy, such as `http://user:password@127.0.0.1:3128`. Default: `HTTPS_PROXY`,
   * `NO_PROXY` and the like of the environment.
   */
  proxy?: string | undefined;
  /**
   * Trusts these certificate authorities (PEM, one or many) beside Mozilla's roots or those that the environment names
   * instead.
   */
  caCertificates?: string | undefined;
  /**
   * Trusts the operating system's trust store instead of Mozilla's roots. On Linux it is read when the client is made,
   * which takes about 3 ms. Default: false.
   */
  systemTrustStore?: boolean | undefined;
  /** Put before the SDK's own name in `User-Agent`, such as `my-product/1.2`. */
  userAgent?: string | undefined;
  /** The tenant's budget for everything but tokens, which waits keep. The service tells its own. Default: 120. */
  requestsPerMinute?: number | undefined;
  /** Is told requests, answers and polls (`debug`) and retries (`info`), without secrets. */
  logger?: Logger | undefined;
}

/** Options that every call but a wait takes as its last argument. */
export interface CallOptions {
  /** Bounds each attempt, its body included. Default: the client's. */
  timeoutMs?: number | undefined;
  /** Bounds the whole call: all attempts and the waits between them. Default: none. */
  deadlineMs?: number | undefined;
  /** How often a 503 is tried again; 0 means never. Default: the client's. */
  maxRetries?: number | undefined;
  /** Stops the call; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Options of `listApps`. */
export interface ListAppsQuery {
  /** Only apps whose name, id or category holds this. */
  search?: string | undefined;
  /** Which page, from 1. Default: the first. */
  page?: number | undefined;
  /** How many apps a page holds, 1 to 100. Default: the service's, 20. */
  limit?: number | undefined;
}

/** Options of `createRequestLink`. */
export interface LinkRequest {
  /** The app, from the catalogue. Only with `allowedApps` or `connectionId` it may be left out. */
  appId?: string | undefined;
  /** What the customer sees later, such as `Work Gmail`. */
  name: string;
  /** Re-authorises this connection in place: it keeps its id, and takes the link's `name`. */
  connectionId?: string | undefined;
  /** Which of the app's auth options the customer uses, by its key. */
  authOptionKey?: string | undefined;
  /** The ids of the apps that the customer may choose from on the hosted page, instead of `appId`. */
  allowedApps?: string[] | undefined;
  /**
   * Where the hosted page sends the customer when it is done, with connection_id, status and operation in the query,
   * and without success error, error_description and errorData.
   */
  returnUrl?: string | undefined;
  /** The only web origin that may read the link's public status. Default: any. */
  allowedOrigin?: string | undefined;
  /** The name of your product, or of the customer, on the hosted page. */
  displayName?: string | undefined;
  /** How long the link lives, in whole seconds: from a minute to a day. Default: the service's, 10 minutes. */
  expiresIn?: number | undefined;
  /** Whether the customer may have several connections of this app. Where not, an active one is re-authorised. */
  allowMultipleConnections?: boolean | undefined;
  /** The OAuth scopes to ask for instead of the app's own. */
  scopes?: string[] | undefined;
  /**
   * Whether the grant waits until `confirmConnection` says whose it is. Needs `returnUrl`. For products whose customers
   * do not know each other.
   */
  confirm?: boolean | undefined;
  /**
   * With `connectionId`, whether the customer may choose another account than the one that the connection is for.
   * Default: false.
   */
  allowAccountChange?: boolean | undefined;
  /** Your own id for the customer, to find connections by. Nothing is authorised by it. */
  customerId?: string | undefined;
  /** Your own name for the customer. */
  customerName?: string | undefined;
  /** A JSON object of your own, kept with the connection: at most 16 KiB, nested at most 8 deep. */
  metadata?: Record<string, unknown> | undefined;
  /**
   * The organization that the connection is for: `id` (your own, no email), and perhaps `name` and `role`. Its OAuth
   * client can be the one that the app is connected with.
   */
  organization?: Record<string, unknown> | undefined;
  /**
   * Where `connection.active`, `connection.failed`, `connection.rejected` and `connection.expired` of this link are
   * sent, too. Its scheme, host and port must be those of one of your webhook endpoints, whose secret signs.
   */
  webhookUrl?: string | undefined;
  /**
   * Calls with the same key and options within a day make one link. Default: one for each call, which its retries
   * share.
   */
  idempotencyKey?: string | undefined;
}

/** Options of `waitForConnection`. */
export interface WaitOptions {
  /** The time between two polls, at least 100 ms. Default: 2 s. */
  intervalMs?: number | undefined;
  /** How long to wait at most. Default: until the link expires. */
  timeoutMs?: number | undefined;
  /** Called after each poll that did not end the wait. */
  onPoll?: ((poll: Poll) => void) | undefined;
  /** Stops the wait; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Options of `getToken`. */
export interface TokenOptions extends CallOptions {
  /**
   * A token that the provider's API refused although it has not expired: if it is still the current one, it is
   * refreshed. Only its SHA-256 is sent.
   */
  rejected?: Token | undefined;
}

/** Options of `proxy`. */
export interface ProxyRequest extends CallOptions {
  /** The HTTP method. Default: `GET`. */
  method?: string | undefined;
  /** What follows the connection's `api_base_url`, as the provider documents it; it may have a query. */
  path: string;
  /** Query parameters beside those of the path. */
  query?: Pairs | undefined;
  /**
   * Headers for the provider. `content-length` tells how long a body is that is a stream; some providers refuse one
   * without.
   */
  headers?: Pairs | undefined;
  /** The body. A stream is sent as fast as the provider takes it, and once at most. */
  body?: ProxyBody | undefined;
}

/** Options of `listConnections`. */
export interface ListConnectionsQuery {
  /** Only connections of this app. */
  appId?: string | undefined;
  /** Only connections with this status. */
  status?: ConnectionStatus | undefined;
  /** Only connections with this `customer_id`. */
  customerId?: string | undefined;
  /** Only connections that need the customer again, or only the others. */
  needsReconnection?: boolean | undefined;
  /** Which page, from 1. Default: the first. */
  page?: number | undefined;
  /** How many connections a page holds, 1 to 100. Default: the service's, 20. */
  limit?: number | undefined;
}

/** Options of `updateConnection`. */
export interface ConnectionChanges {
  /** What the customer sees, such as `Work Gmail`. */
  name?: string | undefined;
  /** Your own id for the customer. `null` removes it. */
  customerId?: string | null | undefined;
  /** Your own name for the customer. `null` removes it. */
  customerName?: string | null | undefined;
  /** Replaces the whole object; an empty one removes it. */
  metadata?: Record<string, unknown> | undefined;
}

/** Options of `importConnection`. */
export interface ImportedCredential {
  /** The app, from the catalogue. */
  appId: string;
  /** What the customer sees, such as `Work Gmail`. */
  name: string;
  /** The key of the app's auth option. Default: the first that such a credential is of. */
  authOptionKey?: string | undefined;
  /** The credential, by the names of the option's `input_schema`; for OAuth what else the option asks for. */
  fields?: Record<string, string> | undefined;
  /** An access token, for an OAuth option. */
  accessToken?: string | undefined;
  /** The type of the access token. Default: `Bearer`. */
  tokenType?: string | undefined;
  /**
   * How long the access token lives, in whole seconds. It cannot be refreshed: then the customer has to connect.
   * Default: unknown.
   */
  expiresIn?: number | undefined;
  /** The OAuth scopes that were granted. */
  scopes?: string[] | undefined;
  /**
   * What calls to the provider need beside the credential, as far as the app's file names it and the provider does not
   * tell.
   */
  providerData?: Record<string, unknown> | undefined;
  /** Your own id for the customer, to find connections by. Nothing is authorised by it. */
  customerId?: string | undefined;
  /** Your own name for the customer. */
  customerName?: string | undefined;
  /** A JSON object of your own, kept with the connection: at most 16 KiB, nested at most 8 deep. */
  metadata?: Record<string, unknown> | undefined;
  /**
   * Calls with the same key and options within a day make one connection. Default: one for each call, which its retries
   * share.
   */
  idempotencyKey?: string | undefined;
}

/** Options of `submitCredentials`. */
export interface SubmittedForm {
  /** The `key` of the chosen auth option. */
  authOptionKey: string;
  /** The id of the chosen app. Needed where the link allows several. */
  appId?: string | undefined;
  /** What the customer entered, by the names of the option's `input_schema`. Not needed for OAuth. */
  fields?: Record<string, string> | undefined;
}

/** Options of `rotateKey`. */
export interface RotateKeyRequest {
  /** Which key. Default: the key that asks. */
  keyId?: string | undefined;
}

/** Options of `promoteKey`. */
export interface PromoteKeyRequest {
  /** Either of the two keys. Default: the key that asks. */
  keyId?: string | undefined;
}

/** Options of `events`. */
export interface EventsQuery {
  /**
   * Only events after this cursor. `latest`: only those that happen from now on. Default: the oldest event that is
   * kept.
   */
  after?: string | undefined;
  /** Only events of these types, such as `connection.needs_reconnection`. Default: all. */
  types?: string[] | undefined;
  /** Only events of this connection. */
  connectionId?: string | undefined;
  /** How many events a request asks for, 1 to 100. Default: the service's, 20. */
  limit?: number | undefined;
  /**
   * How long a request waits for an event where there is none. 0 ends the iteration there. Default: 50 s, the longest.
   */
  waitMs?: number | undefined;
}

/** The names of each kind of option. */
export const KNOWN = {
  settings: new Set<string>([
    'apiKey',
    'baseUrl',
    'maxRetries',
    'timeoutMs',
    'backoffMs',
    'allowInsecureHttp',
    'proxy',
    'caCertificates',
    'systemTrustStore',
    'userAgent',
    'requestsPerMinute',
    'onRequest',
    'onResponse',
    'onRetry',
    'onWait',
    'logger',
  ]),
  call: new Set<string>([
    'timeoutMs',
    'deadlineMs',
    'maxRetries',
    'signal',
  ]),
  listApps: new Set<string>([
    'search',
    'page',
    'limit',
  ]),
  createRequestLink: new Set<string>([
    'appId',
    'name',
    'connectionId',
    'authOptionKey',
    'allowedApps',
    'returnUrl',
    'allowedOrigin',
    'displayName',
    'expiresIn',
    'allowMultipleConnections',
    'scopes',
    'confirm',
    'allowAccountChange',
    'customerId',
    'customerName',
    'metadata',
    'organization',
    'webhookUrl',
    'idempotencyKey',
  ]),
  wait: new Set<string>([
    'intervalMs',
    'timeoutMs',
    'onPoll',
    'signal',
  ]),
  getToken: new Set<string>([
    'rejected',
    'timeoutMs',
    'deadlineMs',
    'maxRetries',
    'signal',
  ]),
  proxy: new Set<string>([
    'method',
    'path',
    'query',
    'headers',
    'body',
    'timeoutMs',
    'deadlineMs',
    'maxRetries',
    'signal',
  ]),
  listConnections: new Set<string>([
    'appId',
    'status',
    'customerId',
    'needsReconnection',
    'page',
    'limit',
  ]),
  updateConnection: new Set<string>([
    'name',
    'customerId',
    'customerName',
    'metadata',
  ]),
  importConnection: new Set<string>([
    'appId',
    'name',
    'authOptionKey',
    'fields',
    'accessToken',
    'tokenType',
    'expiresIn',
    'scopes',
    'providerData',
    'customerId',
    'customerName',
    'metadata',
    'idempotencyKey',
  ]),
  submitCredentials: new Set<string>([
    'authOptionKey',
    'appId',
    'fields',
  ]),
  rotateKey: new Set<string>([
    'keyId',
  ]),
  promoteKey: new Set<string>([
    'keyId',
  ]),
  events: new Set<string>([
    'after',
    'types',
    'connectionId',
    'limit',
    'waitMs',
  ]),
};
