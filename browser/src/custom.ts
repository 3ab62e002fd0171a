/**
 * For a connection form of your own, in the place of the hosted page: what it has to ask for, and where what the customer
 * entered goes. Nothing here touches the browser before it is called, so that a server can import it.
 */
import { type Attempt, begin } from './attempt.js';
import { forget } from './memory.js';
import { follow, openWindow, redirect } from './open.js';
import { parse, type Subject } from './request.js';
import type { ConnectError, ConnectHandle, ConnectOptions, LinkValues } from './types.js';
import { watch } from './watch.js';

export type {
  Account,
  ConnectDetails,
  ConnectError,
  ConnectEvent,
  ConnectFailure,
  ConnectHandle,
  ConnectOptions,
  ConnectOutcome,
  LinkValues,
} from './types.js';

/** How long the platform may take, in milliseconds: it checks at the provider what was entered. */
const PATIENCE = 30_000;

/** One way to connect one of the link's apps. */
export interface AuthOption {
  appId: string;
  appName: string;
  /** Names the option within its app. */
  authOptionKey: string;
  /** `o_auth` leads to the provider; every other one is a form alone. */
  type: string;
  title: string;
  /** Where the customer finds what is asked for. */
  description: string;
  /** What to ask for. Most OAuth apps ask for nothing. */
  inputSchema: InputSchema;
  /** What to show where the customer is to enter the OAuth client of an organization; else null. */
  clientSetup: ClientSetup | null;
}

/** For the first person of an organization that brings an OAuth client of its own. `inputSchema` has the fields for it. */
export interface ClientSetup {
  /** The organization's name. */
  organization: string;
  /** Whether this customer may enter the client. Others are to ask an admin. */
  allowed: boolean;
  /** The address to register with the client. */
  redirectUri: string;
  /** How to get one; safe to show. */
  instructionsHtml: string;
  /** What was entered before. */
  clientId: string | null;
  /** Whether the secret that was entered before is still there, so that its field may be left empty. */
  secretIsKnown: boolean;
}

/** A small part of JSON Schema; the order of the properties is the order of the form. */
export interface InputSchema {
  type: 'object';
  properties: Record<string, InputField>;
  /** The names of the fields that may not be empty. */
  required: string[];
}

export interface InputField {
  type: 'string';
  title: string;
  description?: string;
  default?: string;
  maxLength?: number;
  /** `password` is not to be shown; also `uri`, `email` and others. */
  format?: string;
  /** The values to choose from; absent where the customer types. */
  oneOf?: { const: string; title: string }[];
}

/** What the customer chose and entered: an `AuthOption` with `fields`. */
export interface ConnectForm {
  /** Needed where the link allows several apps. */
  appId?: string | undefined;
  authOptionKey: string;
  /** Tells inside the click whether a window is needed. */
  type: string;
  fields?: Record<string, string> | undefined;
}

/** What the platform answers, as far as it is read here. */
interface Answer {
  status: number;
  message: string;
  data: {
    auth_options?: {
      app: { id: string; name: string };
      key: string;
      type: string;
      title: string;
      description?: string;
      input_schema: InputSchema;
      client_setup?: {
        organization: string;
        allowed: boolean;
        redirect_uri: string;
        instructions_html: string;
        client_id: string | null;
        secret_is_known: boolean;
      } | null;
    }[];
    authorize_url?: string | null;
    code?: string;
    fields?: Record<string, string>;
  };
}

/** The ways to connect the link's apps. Rejects with a `ConnectError`. */
export async function authOptions(link: LinkValues): Promise<AuthOption[]> {
  const target = parse(link);
  if (!target) throw problem('invalid_token', 'These are not the values of a link.');
  const answer = await call(target[1], 'auth-options', {});
  if (answer.status !== 200) throw refusal(answer);
  return (answer.data.auth_options ?? []).map((option) => ({
    appId: option.app.id,
    appName: option.app.name,
    authOptionKey: option.key,
    type: option.type,
    title: option.title,
    description: option.description ?? '',
    inputSchema: option.input_schema,
    clientSetup: option.client_setup
      ? {
          organization: option.client_setup.organization,
          allowed: option.client_setup.allowed,
          redirectUri: option.client_setup.redirect_uri,
          instructionsHtml: option.client_setup.instructions_html,
          clientId: option.client_setup.client_id,
          secretIsKnown: option.client_setup.secret_is_known,
        }
      : null,
  }));
}

/**
 * Submits a form of your own. Call it in the click, before anything is awaited: for OAuth it opens a window, which goes
 * straight to the provider. How it ended is told as by `open` of `@pabbly/connect-browser`; `invalid_fields` tells what the
 * customer has to correct.
 */
export function submit(link: LinkValues, form: ConnectForm, options: ConnectOptions = {}): ConnectHandle {
  const attempt = begin(options);
  // A popup starts with a copy of this tab's storage: there must be nothing in it to resume.
  forget();
  const target = parse(link);
  if (!target) {
    attempt.fail('invalid_token', 'These are not the values of a link.');
    return attempt.handle;
  }
  const popup = form.type === 'o_auth' ? openWindow(attempt, link, options) : null;
  if (popup !== 'blocked') void send(attempt, ...target, form, popup);
  return attempt.handle;
}

async function send(attempt: Attempt, link: URL, subject: Subject, form: ConnectForm, popup: Window | null) {
  const { appId, authOptionKey, fields = {} } = form;
  const body = JSON.stringify({ app_id: appId, auth_option_key: authOptionKey, fields });
  let authorizeUrl: string | null;
  try {
    const init = { method: 'POST', body, headers: { 'content-type': 'application/json' } };
    const answer = await call(subject, 'submit', init, attempt.signal);
    // A link that is over says how it ended when it is asked for its status.
    if (answer.status !== 200 && answer.data.code !== 'connection_not_active') throw refusal(answer);
    authorizeUrl = answer.data.authorize_url ?? null;
  } catch (error) {
    const { code, message, ...more } = error as ConnectError;
    return attempt.fail(code, message, more);
  }
  if (attempt.signal.aborted) return;
  if (!authorizeUrl) return void watch(attempt, subject, () => 'no');
  // A blank popup has the origin of this page: a `javascript:` address would run in it.
  if (new URL(authorizeUrl, link).origin !== link.origin) {
    return attempt.fail('network', "The platform's response leads elsewhere.");
  }
  if (popup) follow(attempt, link.origin, subject, popup, () => post(authorizeUrl, popup, attempt.nonce));
  else redirect(attempt, subject, () => post(authorizeUrl, window));
}

/**
 * Goes there by a form: its `Origin` header, which browsers write, tells the platform that this page sent the customer. An
 * address alone could be opened by anybody, and leads to a page that asks.
 */
function post(url: string, target: Window, name = '') {
  if (name) target.name = name;
  const form = document.createElement('form');
  Object.assign(form, { method: 'post', action: url, target: name });
  document.body.append(form);
  form.submit();
  form.remove();
}

/** The platform's answer. Rejects where it is not the platform's own. */
async function call(
  { statusUrl, requestToken }: Subject,
  path: string,
  init: RequestInit,
  signal?: AbortSignal,
): Promise<Answer> {
  const abort = new AbortController();
  const stop = () => abort.abort();
  const timer = setTimeout(stop, PATIENCE);
  signal?.addEventListener('abort', stop);
  try {
    const response = await fetch(new URL(path, statusUrl), {
      ...init,
      headers: { ...init.headers, 'x-request-token': requestToken },
      cache: 'no-store',
      credentials: 'omit',
      // The token is for this address alone.
      redirect: 'error',
      signal: abort.signal,
    });
    const { message, data } = await response.json();
    if (!response.ok && typeof data.code !== 'string') throw new Error(`HTTP ${response.status}`);
    return { status: response.status, message, data };
  } catch (cause) {
    throw problem('network', 'The platform cannot be reached.', { cause });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

/** What an error of the platform means to the page. */
function refusal({ status, message, data }: Answer): ConnectError {
  if (status === 404) return problem('invalid_token', 'The platform does not know this link.');
  if (data.fields) return problem('invalid_fields', message, { fields: data.fields });
  if (status === 400 || status === 409) return problem('invalid_request', message);
  return problem('network', message);
}

function problem(
  code: ConnectError['code'],
  message: string,
  more?: Pick<ConnectError, 'cause' | 'fields'>,
): Error & ConnectError {
  return Object.assign(new Error(message), { code, ...more });
}
