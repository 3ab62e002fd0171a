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
  /** Values for request headers: fields are vended. */
  | 'header'
  /** OAuth 2: a token is vended. */
  | 'o_auth';

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

/** What a request link does. A newer service may send others. */
export type Operation =
  /** It makes a new connection. */
  | 'creation'
  /** It re-authorises an existing connection, which keeps its id. */
  | 'reauth';

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

/** The app that a connection or a link belongs to. */
export interface AppRef {
  /** The app's id in the catalogue. */
  id: string;
  /** The name to show. */
  name?: string | null;
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
