// A vended credential. Reading a member gives its value; every other way to look at it shows none.
import { here, refused } from './failure.js';
import type { AuthType } from './generated/models.js';
import { inspect, printed, REDACTED, type Inspect } from './redact.js';

/** The credential of an OAuth app. */
export interface OAuthToken {
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
export interface FieldsToken {
  readonly auth_type: Exclude<AuthType, 'o_auth'>;
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
  auth_type: AuthType;
  access_token?: string | null;
  token_type?: string | null;
  expires_in?: number | null;
  fields?: Record<string, string> | null;
}

class RedactedToken {
  readonly #wire: Wire;
  readonly #fields: object | undefined;

  constructor(wire: Wire) {
    // One step for all names: a loop over every member of every token is what the engine would optimise first.
    const { auth_type, access_token, token_type, expires_in, fields, ...unknown } = wire;
    this.#wire = wire;
    this.#fields = fields ? redactedFields(fields) : undefined;
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
    return this.#fields;
  }

  toJSON() {
    const { auth_type, access_token, token_type, expires_in } = this.#wire;
    if (!this.#fields) return { auth_type, access_token: access_token && REDACTED, token_type, expires_in };
    return { auth_type, fields: this.#fields, expires_in };
  }

  toString() {
    return `Token ${JSON.stringify(this)}`;
  }

  [inspect](_depth: number, options: object, print?: Inspect) {
    return printed('Token', this.toJSON(), options, print);
  }
}
Object.defineProperty(RedactedToken, 'name', { value: 'Token' });

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

/**
 * Fields whose names are listed and whose values can be read one by one. They are behind a proxy, since own members
 * would be printed and cloned: `structuredClone` refuses a proxy, and printing sees what is behind it.
 */
function redactedFields(values: Record<string, string>): object {
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
