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

/** What a request link does. A newer service may send others. */
export type Operation =
  /** It makes a new connection. */
  | 'creation'
  /** It re-authorises an existing connection, which keeps its id. */
  | 'reauth';

/** The app that a connection or a link belongs to. */
export interface AppRef {
  /** The app's id in the catalogue. */
  id: string;
  /** The name to show. */
  name?: string | null;
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
   * do not say why. More may follow.
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
