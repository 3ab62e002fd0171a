/** What the hosted page is opened with: three values of the request link that your backend made. */
export interface ConnectRequest {
  requestLink: string;
  requestToken: string;
  connectionId: string;
}

/** The same three values as the platform's API spells them, so that a backend can pass its answer on as it is. */
export interface RequestLinkAnswer {
  request_link: string;
  request_token: string;
  connection_id: string;
}

/** Where the values come from: themselves, a `fetch` response whose JSON they are, a promise or function of either. */
export type ConnectRequestSource = Awaitable<LinkValues | Response> | (() => Awaitable<LinkValues | Response>);

/** Either spelling. */
export type LinkValues = ConnectRequest | RequestLinkAnswer;

type Awaitable<T> = T | PromiseLike<T>;

/** Whether the connection is new or an existing one works again. */
export type Operation = 'creation' | 'reauth';

/** Whose account was connected, in the provider's own words. */
export interface Account {
  id: string | null;
  /** A name for people, such as an email or a workspace. */
  label: string | null;
  url: string | null;
}

/** What was connected. For the person in front of the screen: what your backend needs, it asks the platform itself. */
export interface ConnectDetails {
  operation: Operation;
  /** The app's id; null where the platform does not tell. */
  appId: string | null;
  /** Null where it is unknown, or the success is more than 10 minutes ago. */
  account: Account | null;
}

/**
 * Why there is no connection:
 * - `rejected`: the customer declined
 * - `expired`: the link expired first
 * - `closed`: the window was closed, or the customer came back, before signing in anywhere
 * - `timeout`: the link's time is over and the platform could not be asked how it ended
 */
export type ExitReason = 'rejected' | 'expired' | 'closed' | 'timeout';

/**
 * What went wrong:
 * - `popup_blocked`: the browser refused the window; `open` has to be called in a click
 * - `invalid_token`: the platform does not know this link, or the values are not those of a link
 * - `network`: your backend gave no link, or the platform cannot be reached
 * - `invalid_fields`: of a form of your own: the customer has to correct what `fields` names; the link stays open
 * - `invalid_request`: of a form of your own: the platform takes no such form for this link
 */
export interface ConnectError {
  code: 'popup_blocked' | 'invalid_token' | 'network' | 'invalid_fields' | 'invalid_request';
  message: string;
  /** What was thrown where the values should have come from. */
  cause?: unknown;
  /** Of `invalid_fields`: a sentence for the customer by the field's name. */
  fields?: Record<string, string>;
}

/** How far the customer has come: the platform's words. */
export type Phase = 'created' | 'form' | 'at_provider' | 'returned';

/** Why the customer could not be connected so far, in the platform's own words. */
export interface ConnectFailure {
  code: string;
  /** A sentence for people. */
  message: string;
}

/**
 * Something that happened on the way, as far as this page learns of it:
 * - `opened`: the window was sent to the platform
 * - `form`: the hosted page, or a form of your own, is in front of the customer
 * - `at_provider`: the customer has gone on to the provider
 * - `returned`: the customer has come back
 * - `error`: it failed, and the customer may try again
 */
export type ConnectEvent =
  | { type: 'opened' | 'form' | 'at_provider' | 'returned' }
  | { type: 'error'; error: ConnectFailure };

/** How it ended. */
export type ConnectOutcome =
  | ({ type: 'success'; connectionId: string } & ConnectDetails)
  | { type: 'exit'; reason: ExitReason }
  | { type: 'error'; error: ConnectError };

/** Exactly one of the first three is called, once. */
export interface ConnectOptions {
  onSuccess?: ((connectionId: string, details: ConnectDetails) => void) | undefined;
  onExit?: ((reason: ExitReason) => void) | undefined;
  /** Without it, errors are written to the console. */
  onError?: ((error: ConnectError) => void) | undefined;
  /** Each step is told once, in their order, and none after the end; `error` once for each code. */
  onEvent?: ((event: ConnectEvent) => void) | undefined;
  /**
   * Where the hosted page opens. Default: `auto`.
   * - `auto`: in a popup. On phones and upright tablets in a tab or, if the link is known to have a `return_url`, in
   *   this page; `resume` has to be called where it comes back. A promise or function is not known in the click.
   * - `popup`: in a popup, which is a tab on phones; this page stays.
   * - `redirect`: in this page, on every device; needs a link with a `return_url`.
   */
  display?: 'auto' | 'popup' | 'redirect' | undefined;
}

/** One attempt to connect. */
export interface ConnectHandle {
  /** How it ended. Never rejects. */
  readonly outcome: Promise<ConnectOutcome>;
  /** Ends it as `closed`, with its window. */
  close(): void;
}
