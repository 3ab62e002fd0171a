// A client narrowed to one customer.
import type { PabblyConnectPlatform, ConnectionPage } from './client.js';
import type { Connection } from './generated/models.js';
import type { RequestLink } from './link.js';
import type { List } from './list.js';
import type { CallOptions, LinkRequest, ListConnectionsQuery, WaitOptions } from './options.js';
import type { Token } from './token.js';

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
  getToken(id: string, options?: CallOptions): Promise<Token> {
    return this.#client.getToken(this.email, id, options);
  }

  /** See `PabblyConnectPlatform.listConnections`. */
  listConnections(query?: ListConnectionsQuery, options?: CallOptions): List<ConnectionPage, Connection> {
    return this.#client.listConnections(this.email, query, options);
  }

  /** See `PabblyConnectPlatform.deleteConnection`. */
  deleteConnection(id: string, options?: CallOptions): Promise<void> {
    return this.#client.deleteConnection(this.email, id, options);
  }
}
