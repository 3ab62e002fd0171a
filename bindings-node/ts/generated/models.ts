// What the service answers.
// Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.

/** Where a connection is in its life: `pending`, then one of the others. A newer service may send others. */
export type ConnectionStatus =
  /** The customer authorised: tokens can be vended. */
  | 'active'
  /** The link expired before the customer was done. */
  | 'expired'
  /** The customer has not finished yet. */
  | 'pending'
  /** The customer declined. */
  | 'rejected';

/** How an app's customers authorise. A newer service may send others. */
export type AuthType =
  /** An API key: fields are vended. */
  | 'api_key'
  /** A name and a password: fields are vended. */
  | 'basic'
  /** An OAuth client of the customer's own: a token is vended. */
  | 'client_credentials'
  /** Values for request headers: fields are vended. */
  | 'header'
  /** A private key that signs for a token: that token is vended. */
  | 'jwt_bearer'
  /** OAuth 2: a token is vended. */
  | 'o_auth'
  /** A credential that the provider exchanges for a token: that token is vended. */
  | 'token_exchange';

/** What the provider says about a credential. A newer service may send others. */
export type VerificationResult =
  /** It does not. */
  | 'invalid'
  /** It could not be asked, or gave no usable response. */
  | 'unknown'
  /** It accepts the credential. */
  | 'valid';

/** How far a customer has come on the hosted page. A newer service may send others. */
export type LinkPhase =
  /** The customer has gone on to the provider. */
  | 'at_provider'
  /** Nobody has opened it yet. */
  | 'created'
  /** It was opened. */
  | 'form'
  /** The customer has come back from the provider. */
  | 'returned';

/** How a connection came by its credential. A newer service may send others. */
export type Origin =
  /** You imported it. */
  | 'import'
  /** The customer gave it, by a request link. */
  | 'link';

/** Whose OAuth client an app is connected with. A newer service may send others. */
export type ClientSource =
  /** That of who runs the service. */
  | 'operator'
  /** That of one of your customers' organizations. */
  | 'organization'
  /** Your own. */
  | 'tenant';

/** Who brings OAuth clients for an app beside you and the operator. A newer service may send others. */
export type ManagedBy =
  /** Each organization brings one of its own. */
  | 'organization';

/** What a request link does. A newer service may send others. */
export type Operation =
  /** It makes a new connection. */
  | 'creation'
  /** It re-authorises an existing connection, which keeps its id. */
  | 'reauth';

/** What happened to an OAuth client. A newer service may send others. */
export type OAuthClientChange =
  /** It was made. */
  | 'created'
  /** It was removed. */
  | 'removed'
  /** It was changed. */
  | 'updated';

/** Who deleted a connection. A newer service may send others. */
export type DeletedBy =
  /** The customer. */
  | 'customer'
  /** A member of yours, in the dashboard. */
  | 'dashboard'
  /** Who runs the service. */
  | 'operator'
  /** You, by the API. */
  | 'tenant';

/** The app that a connection or a link belongs to. */
export interface AppRef {
  /** The app's id in the catalogue. */
  id: string;
  /** The name to show. */
  name?: string | null;
}

/**
 * What to show to the person who is to enter the organization's OAuth client.
 *
 * The option's `input_schema` has the fields for it, `oauth_client_id` and `oauth_client_secret`.
 */
export interface ClientSetup {
  /** The organization's name. */
  organization: string;
  /** Whether this customer may enter it. Others are to ask an admin. */
  allowed: boolean;
  /** The address to register with the client. */
  redirect_uri: string;
  /** How to get one: paragraphs, lists, headings, code and `https` links, safe to show. */
  instructions_html: string;
  /** Whether the secret that was entered before is still there, so that its field may be left empty. */
  secret_is_known: boolean;
  /** What was entered before. */
  client_id?: string | null;
}

/** One way to authorise an app. */
export interface AuthOption {
  /** Unique within the app; a request link takes it as `authOptionKey`. */
  key: string;
  /** How the customer authorises. */
  type: AuthType;
  /** The name to show. */
  title: string;
  /** What the customer needs for it. */
  description?: string | null;
  /** The app; only in the list of a link's options. */
  app?: AppRef | null;
  /** A JSON Schema of what the customer is asked for; empty where nothing is asked. */
  input_schema?: unknown | null;
  /** Only in the list of a link's options, and only where the organization's OAuth client has to be entered. */
  client_setup?: ClientSetup | null;
}

/** An app of the catalogue, such as Gmail. */
export interface App {
  /** Opaque; store it exactly as it came. */
  id: string;
  /** The name to show. */
  name: string;
  /** How the app's customers authorise. */
  auth_type?: AuthType | null;
  /** One sentence for a catalogue page. */
  description?: string | null;
  /** What the app is for, such as `email`. */
  categories?: string[] | null;
  /** The documentation of the app's own API, for developers. */
  docs_url?: string | null;
  /** The ways to authorise, for those who build their own connection page. */
  auth_options?: AuthOption[] | null;
  /** Whether your customers can connect it: by a form, or by OAuth with a client. */
  connectable?: boolean | null;
  /** Whose OAuth client it is connected with; absent where there is none, or none is needed. */
  client_source?: ClientSource | null;
  /** The address to register with an OAuth client of your own; absent without OAuth. */
  redirect_uri?: string | null;
}

/** An account at a provider, in the provider's own words. */
export interface Account {
  /** What the provider calls it. */
  id?: string | null;
  /** A name for people, such as an e-mail or a workspace. */
  label?: string | null;
  /** Its address for people. */
  url?: string | null;
}

/** Why a connection needs the customer again. */
export interface Reconnection {
  /**
   * A word: `grant_refused`, the provider refused to refresh the credential; `no_refresh_token`, it has expired and
   * there is nothing to refresh it with; `refresh_failed`, the provider refused to refresh it for days, in words that
   * do not say why; `client_changed`, its OAuth client was changed or removed. More may follow.
   */
  reason: string;
  /** When that was found. */
  since: string;
}

/** Why a customer could not finish the latest link so far. */
export interface LastError {
  /** A word for programs, such as `provider_unavailable`. */
  code: string;
  /** A sentence for people, in the service's own words. */
  message: string;
  /**
   * What the provider said, where it sent the customer back with an error. It comes by the customer's browser: escape
   * it, and decide nothing by it.
   */
  provider_message?: string | null;
}

/** The organization that a connection is for. */
export interface ConnectionOrganization {
  /** Your own id for it. */
  id: string;
  /** Its name. */
  name: string;
}

/** One authorisation of one app, owned by one customer. */
export interface Connection {
  /** Opaque; store it exactly as it came. */
  id: string;
  /** Where the connection is in its life. */
  status: ConnectionStatus;
  /** The name that the link was made with. */
  name?: string | null;
  /** The app; absent while the customer has not chosen one yet. */
  app?: AppRef | null;
  /** How the customer authorised. */
  auth_type?: AuthType | null;
  /** The customer's e-mail. */
  user_email?: string | null;
  /** When the connection was made. */
  created_at?: string | null;
  /** When the connection last changed. */
  updated_at?: string | null;
  /** When the open link expires; only while one is open. */
  expires_at?: string | null;
  /** Whether the latest link made the connection or re-authorises it. */
  operation?: Operation | null;
  /** How it came by its credential: by a link, or by `importConnection`. */
  origin?: Origin | null;
  /** What uses the connection, see `addUsage`. */
  usages?: string[] | null;
  /** Why the customer could not finish the latest link so far. */
  last_error?: LastError | null;
  /** Whose account it is at the provider, where that is known. */
  account?: Account | null;
  /** What calls to the provider need beside the credential, as far as it is public. */
  provider_data?: Record<string, string> | null;
  /** Where the provider's API is; absent where that is not known, or is secret. */
  api_base_url?: string | null;
  /** The OAuth scopes that were granted. */
  scopes?: string[] | null;
  /** Whether the customer has to connect again. */
  needs_reconnection?: boolean | null;
  /** Why, where `needs_reconnection` is true. */
  reconnection?: Reconnection | null;
  /** When the credential was last refreshed at the provider. */
  last_refreshed_at?: string | null;
  /** When the credential was last vended. */
  last_used_at?: string | null;
  /** Your own JSON object. */
  metadata?: Record<string, unknown> | null;
  /** Your own id for the customer. */
  customer_id?: string | null;
  /** Your own name for the customer. */
  customer_name?: string | null;
  /** Whose OAuth client it was made with, and is refreshed by. */
  client_source?: ClientSource | null;
  /** The organization that it is for, if it is for one. */
  organization?: ConnectionOrganization | null;
}

/** A contact of one of the customer's CRMs, in the shape that all of them share. */
export interface Contact {
  /** What the CRM calls it; unique within the connection. */
  id: string;
  /** The connection that it came by. */
  connection_id: string;
  /** The CRM, such as `hubspot`. */
  app_id: string;
  /** Given name. */
  first_name?: string | null;
  /** Family name. */
  last_name?: string | null;
  /** A name for people. */
  display_name?: string | null;
  /** E-mail addresses, the usual one first. */
  emails: string[];
  /** Phone numbers as the CRM writes them, the usual one first. */
  phones: string[];
  /** Whom the contact works for. */
  company?: string | null;
  /** What the contact does there. */
  title?: string | null;
  /** The contact's page in the CRM. */
  url?: string | null;
  /** When it was made. */
  created_at?: string | null;
  /** When it last changed. */
  updated_at?: string | null;
}

/** A connection whose contacts are missing, or the rest of them. */
export interface FailedConnection {
  /** The connection's id. */
  connection_id: string;
  /** The CRM. */
  app_id: string;
  /**
   * A word for programs: `needs_reconnection`, `rate_limited`, `upstream_unavailable`, `provider_refused`,
   * `provider_response_invalid`, `connection_deleted`. More may follow.
   */
  code: string;
  /** A sentence for people, in the service's own words. */
  message: string;
  /** Seconds until it is worth another try, where that is known. */
  retry_after?: number | null;
  /** The HTTP status of the CRM, where there was one. */
  provider_status?: number | null;
  /** Goes on where it failed, with this connection alone. */
  cursor?: string | null;
}

/** The outcome of a check of a credential. */
export interface Verification {
  /** What the provider says. */
  result: VerificationResult;
  /** When it was asked. */
  checked_at: string;
}

/**
 * A hosted page where one customer connects one app.
 *
 * Hand `request_link`, `request_token` and `connection_id` to the front end, and nothing else of the SDK's. It
 * serialises whole, because it is made to be handed on; its printed forms hide the request token and the hosted page's
 * address, since anybody who has it can connect an account of their own in the customer's place.
 */
export interface RequestLink {
  /** The connection that the link is for; it is `pending` until the customer is done. */
  connection_id: string;
  /** Lets a front end watch the link, and send in a form of its own: for the customer's own browser alone. */
  request_token: string;
  /** The address of the hosted page. */
  request_link: string;
  /** When the link expires. */
  expires_at: string;
  /** The app; absent where the customer picks one on the hosted page. */
  app?: AppRef | null;
  /** The address of the public status, gated by the request token. */
  status_url?: string | null;
  /** Whether the link makes a connection or re-authorises one in place. */
  operation?: Operation | null;
}

/** The ways in which a link's app can be authorised. */
export interface AuthOptionList {
  /** App by app, the usual one first. */
  auth_options: AuthOption[];
}

/** Where a connection stands after its form was submitted. */
export interface Submission {
  /** Where the connection is in its life. */
  status: ConnectionStatus;
  /** For OAuth, where to send the customer's browser. */
  authorize_url?: string | null;
}

/** One of the tenant's keys, without its text. */
export interface TenantKey {
  /** The key's opaque id. */
  id: string;
  /** What people call it, if it has a name. */
  name?: string | null;
  /** Shared by a key and its successors. */
  family: string;
  /** What the key opens, such as `connections`. */
  capabilities: string[];
  /** Whether it is the key that asks. */
  current: boolean;
  /** Whether a single MCP URL belongs to it. */
  mcp_url: boolean;
  /** When it was made. */
  created_at: string;
  /** When it was first used, if it was. */
  first_used_at?: string | null;
  /** When a token was last asked for with it, if one was. */
  last_used_at?: string | null;
  /** When it was retired, if it was. */
  revoked_at?: string | null;
}

/** The tenant's keys. */
export interface KeyList {
  /** Those that work first, the newest of each first; 100 at most. */
  keys: TenantKey[];
}

/** A key's successor. Its text is shown this once. */
export interface RotatedKey {
  /** The new key's id. */
  readonly key_id: string;
  /** The new key itself; give it to `setApiKey`. */
  readonly api_key: string;
  /** The id of the key that it is to replace. */
  readonly replaces: string;
}

/** A finished rotation. */
export interface PromotedKey {
  /** The id of the key that goes on. */
  key_id: string;
  /** The id of the key that ended. */
  retired: string;
}

/** An OAuth client, without its secrets. */
export interface OAuthClient {
  /** The app that it is for. */
  app_id: string;
  /** Its id at the provider. */
  client_id: string;
  /** The names of its further values. */
  params: string[];
  /** Whether it is one of the provider's sandbox. */
  sandbox: boolean;
  /** The address that must be registered with it. */
  redirect_uri: string;
  /** How many connections work by it, or by one that it replaced. */
  connections: number;
  /** Who entered it last: a key's id, or the e-mail of the customer who did so on the hosted page. */
  set_by: string;
  /** When it was first entered. */
  created_at: string;
  /** When it was last changed. */
  updated_at: string;
  /** The organization that it is of; absent for your own. */
  organization_id?: string | null;
  /** The scopes that are asked for; absent where they are the catalogue's. */
  scopes?: string[] | null;
}

/** What an OAuth client that was removed leaves behind. */
export interface OAuthClientRemoval {
  /** How many connections end with it. */
  connections: number;
}

/** What you say of an app. */
export interface AppSettings {
  /** The app. */
  app_id: string;
  /** How to get a client, in CommonMark. */
  instructions: string;
  /** Whether only admins may enter one. */
  admin_role_required: boolean;
  /** Who brings OAuth clients beside you and the operator, if anybody does. */
  managed_by?: ManagedBy | null;
  /** The address to register with a client; absent for an app without OAuth. */
  redirect_uri?: string | null;
}

/**
 * A hosted page where a person looks after the OAuth clients of an organization.
 *
 * It serialises whole, because it is made to be handed on; its printed forms hide the address, since the first browser
 * that opens it may change the clients.
 */
export interface AdminLink {
  /** Where to send the person's browser, once. */
  admin_link: string;
  /** Until when it works. */
  expires_at: string;
}

/** What was removed. */
export interface Erasure {
  /** How many connections there were. */
  connections: number;
}

/**
 * A connection as it was when an event happened.
 *
 * What tells about people is absent where the service's operator keeps it out of events: then ask for the connection.
 */
export interface EventConnection {
  /** The connection's id. */
  id: string;
  /** Where the connection was in its life. */
  status: ConnectionStatus;
  /** The app; absent while the customer has not chosen one yet. */
  app_id?: string | null;
  /** How it came by its credential. */
  origin?: Origin | null;
  /** What the customer sees. */
  name?: string | null;
  /** The customer's e-mail. */
  user_email?: string | null;
  /** Your own id for the customer. */
  customer_id?: string | null;
  /** Your own name for the customer. */
  customer_name?: string | null;
  /** Whose account it is at the provider, where that is known. */
  account?: Account | null;
  /** Your own JSON object. */
  metadata?: Record<string, unknown> | null;
}

/** Why a link was not finished. */
export interface LinkError {
  /** A word for programs, such as `provider_unavailable`. */
  code: string;
  /** A sentence for people, in the service's own words. */
  message: string;
}

/** A tenant key that something happened to. */
export interface EventKey {
  /** The key's opaque id. */
  id: string;
  /** What the key opens, such as `connections`. */
  capabilities: string[];
  /** The key's name, if it has one. */
  name?: string | null;
}

/** A connection has a credential now. */
export interface ConnectionActive {
  /** The connection. */
  connection: EventConnection;
  /** Whether the connection is new or was re-authorised. */
  operation?: Operation | null;
}

/** An attempt to connect failed. The link stays open. */
export interface ConnectionFailed {
  /** The connection. */
  connection: EventConnection;
  /** Why it failed. */
  error: LinkError;
  /** What the link does. */
  operation?: Operation | null;
}

/** The customer declined. */
export interface ConnectionRejected {
  /** The connection. */
  connection: EventConnection;
  /** What the link does. */
  operation?: Operation | null;
  /** Why, where that is known. */
  error?: LinkError | null;
}

/** A link expired unused. */
export interface ConnectionExpired {
  /** The connection. */
  connection: EventConnection;
  /** What the link does. */
  operation?: Operation | null;
}

/** A grant has ended. The customer has to connect again. */
export interface ConnectionNeedsReconnection {
  /** The connection. */
  connection: EventConnection;
  /** A word, as in a connection's `reconnection`. */
  reason: string;
  /** When that was found. */
  since: string;
}

/** A grant will end in 14 days or less. */
export interface ConnectionExpiring {
  /** The connection. */
  connection: EventConnection;
  /** When the grant ends. */
  expires_at: string;
}

/** A connection's name, labels, metadata or account changed. */
export interface ConnectionUpdated {
  /** The connection. */
  connection: EventConnection;
  /** The members that changed, such as `name`. */
  changed: string[];
}

/** A connection and its credential were deleted. */
export interface ConnectionDeleted {
  /** The connection as it was. */
  connection: EventConnection;
  /** Who deleted it. */
  by: DeletedBy;
}

/** An OAuth client was made, changed or removed. */
export interface OAuthClientChanged {
  /** The app that it is for. */
  app_id: string;
  /** What happened to it. */
  change: OAuthClientChange;
  /** The organization that it belongs to; absent for your own. */
  organization_id?: string | null;
  /** Who did it, where that is known. */
  by?: string | null;
}

/** Something happened to a tenant key. */
export interface KeyChanged {
  /** The key, without its text. */
  key: EventKey;
  /** By what means, such as `api` or `command_line`. */
  by?: string | null;
}

/** A request that tries a webhook endpoint out. */
export interface WebhookTest {
}

/** One page of the catalogue. */
export interface AppPage {
  /** The apps of this page. */
  apps: App[];
  /** Which page this is, from 1. */
  page?: number | null;
  /** How many items a full page holds. */
  limit?: number | null;
  /** How many items there are on all pages. */
  total?: number | null;
}

/** One page of a customer's connections. */
export interface ConnectionPage {
  /** The connections of this page. */
  connections: Connection[];
  /** Which page this is, from 1. */
  page?: number | null;
  /** How many items a full page holds. */
  limit?: number | null;
  /** How many items there are on all pages. */
  total?: number | null;
}

/** One page of the contacts of a customer's CRMs. */
export interface ContactPage {
  /** The contacts of this page. */
  contacts: Contact[];
  /** Where the next page begins; null on the last page. */
  next_cursor?: string | null;
  /** The connections whose contacts are missing, or the rest of them. */
  errors?: FailedConnection[] | null;
}

/** An event of one type. */
export interface EventOf<Type extends string, Data> {
  /** Opaque, and the same however often the event is given or brought: by it you know what you have handled. */
  id: string;
  /** What happened. */
  type: Type;
  /** When it happened. */
  timestamp: string;
  /** Its place in the feed, from which `events` goes on; empty for an event that is in no feed. */
  cursor: string;
  /** What there is to tell about it. */
  data: Data;
}

/**
 * Something that happened to one of the tenant's connections, OAuth clients or keys. Its `type` says what `data` holds. A
 * newer service may send other types: in the `default` of a `switch`, what is left is an `UnknownEvent`.
 */
export type Event =
  /** A connection has a credential now: a link was finished, or a credential imported. */
  | EventOf<'connection.active', ConnectionActive>
  /** An attempt to connect failed. The link stays open. */
  | EventOf<'connection.failed', ConnectionFailed>
  /** The customer declined. */
  | EventOf<'connection.rejected', ConnectionRejected>
  /** A link expired unused. */
  | EventOf<'connection.expired', ConnectionExpired>
  /** A grant has ended: the customer has to connect again. */
  | EventOf<'connection.needs_reconnection', ConnectionNeedsReconnection>
  /** A grant will end in 14 days or less. */
  | EventOf<'connection.expiring', ConnectionExpiring>
  /** A connection's name, labels, metadata or account changed. */
  | EventOf<'connection.updated', ConnectionUpdated>
  /** A connection and its credential were deleted. */
  | EventOf<'connection.deleted', ConnectionDeleted>
  /** An OAuth client was made, changed or removed. */
  | EventOf<'oauth_client.changed', OAuthClientChanged>
  /** A tenant key was made. */
  | EventOf<'key.created', KeyChanged>
  /** A tenant key has a successor. */
  | EventOf<'key.rotated', KeyChanged>
  /** A tenant key was retired in favour of its successor. */
  | EventOf<'key.promoted', KeyChanged>
  /** A tenant key was revoked. */
  | EventOf<'key.revoked', KeyChanged>
  /** A request that tries a webhook endpoint out. It is in no feed. */
  | EventOf<'webhook.test', WebhookTest>;

/** An event of a type that this version does not know. */
export type UnknownEvent = EventOf<string, unknown>;
