/** A client of the core. */
export declare class Client {
  /** Checks the settings. Where `events` is not 0, everything that the client does is told under that number. */
  constructor(port: Port, settings: Settings, events: number)
  /** Throws where no customer can have this e-mail. */
  checkEmail(email: string): void
  /** The answer is one page of the catalogue. */
  listApps(call: number, query: ListQuery, options?: Options | undefined | null): void
  /** All pages of the catalogue. */
  appPages(query: ListQuery, options?: Options | undefined | null): Pages
  /** The answer is one app. */
  getApp(call: number, id: string, options?: Options | undefined | null): void
  /** The answer is a request link. */
  createRequestLink(call: number, email: string, request: LinkRequest, options?: Options | undefined | null): void
  /** The answer is a connection. */
  getConnection(call: number, email: string, id: string, options?: Options | undefined | null): void
  /** The answer is a connection that is no longer pending. */
  waitForConnection(call: number, email: string, id: string, options?: WaitOptions | undefined | null): void
  /** The answer is a token. */
  getToken(call: number, email: string, id: string, options?: Options | undefined | null): void
  /** The answer is one page of the customer's connections. */
  listConnections(call: number, email: string, query: ListQuery, options?: Options | undefined | null): void
  /** All pages of the customer's connections. */
  connectionPages(email: string, query: ListQuery, options?: Options | undefined | null): Pages
  /** The answer is null. */
  deleteConnection(call: number, email: string, id: string, options?: Options | undefined | null): void
}

/** The pages of a list, one after the other. */
export declare class Pages {
  /** The answer is the next page, or null after the last. */
  next(call: number): void
}

/** Takes what calls tell and hands it to JavaScript, one wake-up for many. */
export declare class Port {
  /**
   * `deliver` gets the JSON text of an array: number, kind, value, number, kind, value … where the kind is 0 for
   * an answer, 1 for an error and 2 for an event (its number is the client's).
   */
  constructor(deliver: (arg: string) => void)
  /** Stops a call. Nothing is delivered for it any more. */
  cancel(call: number): void
}

/** What a request link is for. */
export interface LinkRequest {
  appId?: string
  name: string
  connectionId?: string
  authOptionKey?: string
  allowedApps?: Array<string>
  returnUrl?: string
  allowedOrigin?: string
  displayName?: string
  expiresIn?: number
  allowMultipleConnections?: boolean
  scopes?: Array<string>
  idempotencyKey?: string
}

/** Which page of a list. */
export interface ListQuery {
  search?: string
  appId?: string
  page?: number
  limit?: number
}

/** Options of one call. */
export interface Options {
  timeoutMs?: number
  deadlineMs?: number
  maxRetries?: number
}

/** Settings of a client. */
export interface Settings {
  apiKey?: string
  baseUrl?: string
  maxRetries?: number
  timeoutMs?: number
  backoffMs?: number
  allowInsecureHttp?: boolean
  proxy?: string
  caCertificates?: string
  userAgent?: string
}

/** How to wait for a connection. */
export interface WaitOptions {
  intervalMs?: number
  timeoutMs?: number
}
