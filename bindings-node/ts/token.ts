// A vended credential. Reading a member gives its value; every other way to look at it shows none.
import { here, refusal, refused } from './failure.js';
import type { Account } from './generated/models.js';
import { native } from './native.js';
import { inspect, printed, REDACTED, type Inspect } from './redact.js';

/** The URL and the options of a request to the provider's API, as `fetch` takes them. */
export type ApiRequest<Init> = [
  url: string,
  init: Omit<Init, 'headers'> & { headers: Record<string, string>; redirect?: 'error' | 'follow' | 'manual' },
];

/** What both kinds of tokens have. */
interface AnyToken {
  /** The OAuth scopes that were granted; `null` where they are not known. */
  readonly scopes: readonly string[] | null;
  /** Whose account it is at the provider; `null` where that is not known. */
  readonly account: Readonly<Account> | null;
  /** What calls to the provider need beside the credential, such as a company's id. */
  readonly provider_data: Readonly<Record<string, string>>;
  /** Where the provider's API is; `null` where the catalogue does not tell. */
  readonly api_base_url: string | null;
  /** The headers of a call to the provider's API; absent from a service that does not know of them. */
  readonly api_headers?: Readonly<Record<string, string>> | undefined;
  /** The query parameters of a call to the provider's API; absent from a service that does not know of them. */
  readonly api_query?: Readonly<Record<string, string>> | undefined;
  /**
   * Where and how to call the provider's API, the credential included wherever this app wants it:
   * `fetch(...token.apply('/contacts?limit=10', { method: 'POST', body }))`. Nothing is sent.
   *
   * `path` follows `api_base_url` and may have a query. An absolute URL has to lie below the base URL; where there is
   * none, it has to be one, over HTTPS or to this machine. Headers of `init` take the place of those of the same name.
   *
   * `redirect` is `'error'` unless `init` says otherwise: where a redirect is followed to another host, `fetch` takes
   * along every header but `Authorization`, and many apps want their key in another one.
   *
   * Throws an `InvalidArgumentError` where the path leads out of the base URL or is no URL, and where nothing tells how
   * this app is called.
   */
  apply<Init extends object = Record<never, never>>(path: string, init?: Init): ApiRequest<Init>;
}

/** The credential of an OAuth app, or one that was exchanged for an access token. */
export interface OAuthToken extends AnyToken {
  readonly auth_type: 'o_auth';
  readonly access_token: string;
  /** How the access token is presented, such as `Bearer`. */
  readonly token_type?: string | undefined;
  /** The value of an `Authorization` header, such as `Bearer ya29…`. */
  readonly authorization: string;
  /** Seconds until the access token expires; `null` where the provider does not say. */
  readonly expires_in: number | null;
  readonly fields?: undefined;
}

/** The credential of an API-key, basic or header app. */
export interface FieldsToken extends AnyToken {
  readonly auth_type: 'api_key' | 'basic' | 'header';
  /** The credential values by the name of the field. */
  readonly fields: Readonly<Record<string, string>>;
  readonly expires_in: number | null;
  readonly access_token?: undefined;
  readonly token_type?: undefined;
  readonly authorization?: undefined;
}

/**
 * A working credential for one connection. Use it at once; never store or log it.
 *
 * Its members are getters of the class: printing, serialising, cloning or spreading it does not reveal them.
 */
export type Token = OAuthToken | FieldsToken;

/** The members of a token, as the service sends them. */
interface Wire {
  auth_type: Token['auth_type'];
  access_token?: string | null;
  token_type?: string | null;
  expires_in?: number | null;
  fields?: Record<string, string> | null;
  scopes?: string[] | null;
  account?: Account | null;
  provider_data?: Record<string, string> | null;
  api_base_url?: string | null;
  api_headers?: Record<string, string> | null;
  api_query?: Record<string, string> | null;
}

class RedactedToken {
  readonly #wire: Wire;

  constructor(wire: Wire) {
    // One step for all names: a loop over every member of every token is what the engine would optimise first.
    const {
      auth_type, access_token, token_type, expires_in, fields, scopes, account, provider_data, api_base_url, api_headers,
      api_query, ...unknown
    } = wire;
    this.#wire = wire;
    for (const name in unknown) {
      // A member of a newer service. It may be a secret too, hence one that cannot be seen.
      if (!(name in this)) Object.defineProperty(this, name, { get: () => this.#wire[name as keyof Wire] });
    }
  }

  get auth_type() {
    return this.#wire.auth_type;
  }

  get access_token() {
    return this.#wire.access_token ?? undefined;
  }

  get token_type() {
    return this.#wire.token_type ?? undefined;
  }

  get authorization() {
    const { access_token, token_type } = this.#wire;
    return access_token == null ? undefined : `${token_type ?? 'Bearer'} ${access_token}`;
  }

  get expires_in() {
    return this.#wire.expires_in ?? null;
  }

  get fields() {
    return redactedFields(this.#wire.fields);
  }

  get scopes() {
    return this.#wire.scopes ?? null;
  }

  get account() {
    return this.#wire.account ?? null;
  }

  get provider_data() {
    return redactedFields(this.#wire.provider_data ?? {});
  }

  get api_base_url() {
    return this.#wire.api_base_url ?? null;
  }

  get api_headers() {
    return redactedFields(this.#wire.api_headers);
  }

  get api_query() {
    return redactedFields(this.#wire.api_query);
  }

  apply(path: string, init?: { headers?: unknown; redirect?: unknown }) {
    const place = here();
    try {
      return apiRequest(JSON.parse(native.applyToken(JSON.stringify(this.#wire), path)) as Applied, init);
    } catch (thrown) {
      throw refusal(thrown, place);
    }
  }

  /** What the core needs of a token to name it, as JSON; `undefined` for anything else. */
  static credential(value: object): string | undefined {
    if (!(#wire in value)) return undefined;
    const { auth_type, access_token, fields } = value.#wire;
    return JSON.stringify({ auth_type, access_token, fields });
  }

  toJSON() {
    const { auth_type, access_token, token_type, expires_in, scopes, account, api_base_url } = this.#wire;
    const all = {
      auth_type,
      access_token: access_token && REDACTED,
      token_type,
      fields: this.fields,
      expires_in,
      scopes: scopes && REDACTED,
      account: account && REDACTED,
      provider_data: redactedFields(this.#wire.provider_data),
      api_base_url: api_base_url && REDACTED,
      api_headers: this.api_headers,
      api_query: this.api_query,
    };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  }

  toString() {
    return `Token ${JSON.stringify(this)}`;
  }

  [inspect](_depth: number, options: object, print?: Inspect) {
    return printed('Token', this.toJSON(), options, print);
  }
}
Object.defineProperty(RedactedToken, 'name', { value: 'Token' });

export const { credential } = RedactedToken;

export function token(wire: Wire): Token {
  return new RedactedToken(wire) as unknown as Token;
}

export const Token = {
  /** Makes a token for a test, of the members that the service would send. */
  of(members: Partial<Wire>): Token {
    const { auth_type = 'o_auth', access_token, fields } = members;
    if (auth_type === 'o_auth' ? access_token == null : fields == null) {
      throw refused('an OAuth token needs its access_token, every other its fields', here());
    }
    return token({ ...members, auth_type });
  },
};

/** A request as the core makes it. */
interface Applied {
  url: string;
  headers: Record<string, string>;
}

/** The request, with what the caller wants of it. It can be read and spread, and shows nothing when it is printed. */
function apiRequest({ url, headers }: Applied, init: { headers?: unknown; redirect?: unknown } = {}) {
  const merged = new Headers(headers);
  new Headers((init.headers ?? {}) as never).forEach((value, name) => merged.set(name, value));
  // A plain object, which every HTTP client takes.
  const plain: Record<string, string> = {};
  merged.forEach((value, name) => (plain[name] = value));
  return unprinted([url, unprinted({ ...init, headers: plain, redirect: init.redirect ?? 'error' })]);
}

/** An object whose members are all there for programs that read them. */
function unprinted<T extends object>(value: T): T {
  const hidden = (shown: unknown) => ({ value: () => shown, enumerable: false });
  return Object.defineProperties(value, { toJSON: hidden(REDACTED), toString: hidden(REDACTED), [inspect]: hidden(REDACTED) });
}

/**
 * Fields whose names are listed and whose values can be read one by one. They are behind a proxy, since own members
 * would be printed and cloned: `structuredClone` refuses a proxy, and printing sees what is behind it.
 */
function redactedFields(values: Record<string, string> | null | undefined): object | undefined {
  if (!values) return undefined;
  const shown = () => Object.fromEntries(Object.keys(values).map((name) => [name, REDACTED]));
  const hidden = (value: unknown) => ({ value, configurable: true, enumerable: false });
  const behind = Object.create(null, {
    toJSON: hidden(shown),
    toString: hidden(() => JSON.stringify(shown())),
    [inspect]: hidden((_depth: number, options: object, print?: Inspect) => printed('Fields', shown(), options, print)),
  }) as Record<PropertyKey, unknown>;
  const has = (name: PropertyKey) => Object.hasOwn(values, name);
  return new Proxy(behind, {
    // A field of this very name must not switch the redaction off.
    get: (_, name) => (has(name) && name !== 'toJSON' ? values[name as string] : behind[name]),
    has: (_, name) => has(name) || name in behind,
    ownKeys: () => Object.keys(values),
    getOwnPropertyDescriptor: (_, name) =>
      has(name) ? { value: values[name as string], enumerable: true, configurable: true } : undefined,
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
  });
}
