// A platform of the guide's contract, and a provider, that do what a test says at the moment when it says so.
//
// `connect-service dev` cannot take its place: most of these tests are about what goes wrong between a browser and
// the platform. Here the public status fails with 429, 503 or another body, is late, says `expired` or no time left
// at once, and tells when it was asked; the provider's page has a Cross-Origin-Opener-Policy; and nothing beyond the
// guide's contract is there, such as long polls. What the platform itself does is tested with the real service
// (`service.ts`).
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Product } from './product.js';
import { type RunningServer, serve } from './servers.js';

/** What the platform says of a link that it does not know. */
export const GONE = JSON.stringify({ status: 'error', message: 'Unknown', data: { code: 'connection_deleted' } });

/** A link of the stand-in platform, for a test to look at and to change. */
export class Link {
  readonly secret = `secret-${randomBytes(8).toString('hex')}`;
  readonly token = `rt_${randomBytes(8).toString('hex')}`;
  readonly connectionId = `conn_${randomBytes(8).toString('hex')}`;
  status: 'pending' | 'active' | 'rejected' | 'expired' = 'pending';
  phase: 'created' | 'form' | 'at_provider' | 'returned' = 'created';
  expiresIn = 600;
  returnTo: string | null = null;
  /** The provider's Cross-Origin-Opener-Policy. */
  providerCoop: string | null = null;
  /** How long each answer takes, in milliseconds. */
  delay = 0;
  /** What the status endpoint answers instead of the status. */
  trouble: { status: number; headers?: Record<string, string>; body?: string } | null = null;
  /** When the status was asked for, in milliseconds. */
  readonly askedAt: number[] = [];
}

/** A product, a platform and a provider on three origins. */
export class StandIn {
  link = new Link();
  private readonly links = new Map<string, Link>();

  private constructor(
    readonly product: Product,
    private readonly platform: RunningServer,
    private readonly provider: RunningServer,
  ) {}

  static async start(): Promise<StandIn> {
    const platform = await serve('127.0.0.1', (url, request, response) =>
      standIn.servePlatform(url, request, response),
    );
    const provider = await serve('127.0.0.1', (url, _, response) => standIn.serveProvider(url, response));
    const product = await Product.start(platform.url, async () => ({
      connection_id: standIn.link.connectionId,
      request_token: standIn.link.token,
      request_link: standIn.requestLink,
    }));
    const standIn = new StandIn(product, platform, provider);
    return standIn;
  }

  /** The next test starts with this link and an innocent product. */
  reset(): Link {
    this.product.reset();
    this.link = new Link();
    this.links.set(this.link.secret, this.link).set(this.link.connectionId, this.link);
    return this.link;
  }

  get hostedPage(): string {
    return `${this.platform.url}/platform/v1/connect/${this.link.secret}`;
  }

  /** The hosted page as the platform names it. */
  get requestLink(): string {
    return this.hostedPage + (this.link.returnTo ? '?has_return_url=true' : '');
  }

  get providerUrl(): string {
    return this.provider.url;
  }

  async stop(): Promise<void> {
    await Promise.all([this.product, this.platform, this.provider].map((server) => server.stop()));
  }

  private async servePlatform(url: URL, request: IncomingMessage, response: ServerResponse) {
    const [, kind, id = '', rest] = /^\/platform\/v1\/(connect|connections)\/([^/]+)\/?(.*)$/.exec(url.pathname) ?? [];
    const link = this.links.get(id);
    if (kind === 'connections' && request.method !== 'OPTIONS') link?.askedAt.push(Date.now());
    await new Promise((done) => setTimeout(done, link?.delay ?? 0));
    if (kind === 'connections') return this.serveStatus(link, request, response);
    if (!link) return response.writeHead(404).end();
    switch (rest) {
      case 'consent':
        link.phase = 'at_provider';
        return response.writeHead(303, { location: `${this.providerUrl}/consent?${link.secret}` }).end();
      case 'approve':
        return this.finish(link, 'active', response);
      case 'decline':
        return this.finish(link, 'rejected', response);
    }
    if (link.phase === 'created') link.phase = 'form';
    return page(response, 'Hosted page', [
      ['continue', `${this.platform.url}/platform/v1/connect/${id}/consent`],
      ['decline', `${this.platform.url}/platform/v1/connect/${id}/decline`],
    ]);
  }

  private serveStatus(link: Link | undefined, request: IncomingMessage, response: ServerResponse) {
    response.setHeader('access-control-allow-origin', this.product.url);
    response.setHeader('access-control-expose-headers', 'retry-after');
    if (request.method === 'OPTIONS') {
      return response.writeHead(204, { 'access-control-allow-headers': 'x-request-token' }).end();
    }
    if (link?.trouble) return response.writeHead(link.trouble.status, link.trouble.headers).end(link.trouble.body);
    if (!link || request.headers['x-request-token'] !== link.token) {
      return response.writeHead(404).end(GONE);
    }
    const data = {
      connection_id: link.connectionId,
      status: link.status,
      phase: link.phase,
      operation: 'creation',
      expires_in: link.expiresIn,
    };
    return response.end(JSON.stringify({ status: 'success', message: 'ok', data }));
  }

  private finish(link: Link, status: 'active' | 'rejected', response: ServerResponse) {
    link.status = status;
    link.phase = 'returned';
    if (!link.returnTo) return page(response, 'You can close this window', []);
    const location = `${link.returnTo}?connection_id=${link.connectionId}&status=${status}`;
    return response.writeHead(303, { location }).end();
  }

  private serveProvider(url: URL, response: ServerResponse) {
    const link = this.links.get(url.search.slice(1));
    if (!link) return response.writeHead(404).end();
    if (link.providerCoop) response.setHeader('cross-origin-opener-policy', link.providerCoop);
    return page(response, 'Provider', [['approve', `${this.platform.url}/platform/v1/connect/${link.secret}/approve`]]);
  }
}

function page(response: ServerResponse, title: string, links: [id: string, url: string][]) {
  const anchors = links.map(([id, url]) => `<p><a id="${id}" href="${url}">${id}</a></p>`).join('');
  response.setHeader('content-type', 'text/html; charset=utf-8');
  response.end(`<!doctype html><title>${title}</title><h1>${title}</h1>${anchors}`);
}
