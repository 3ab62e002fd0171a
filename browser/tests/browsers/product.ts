import { existsSync, readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RequestLinkAnswer } from '../../src/types.js';
import { type RunningServer, serve } from './servers.js';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

const files: Record<string, string> = {
  '/guide': path('pages/guide.html'),
  '/app': path('pages/app.html'),
  '/pabbly-connect.js': path('../../dist/pabbly-connect.js'),
};

const types: Record<string, string> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript' };

/**
 * A product with a front end and a backend. Its pages have a Content-Security-Policy that allows their own scripts, and
 * connections to itself and the platform: nothing else.
 */
export class Product {
  /** Its pages' Cross-Origin-Opener-Policy. */
  coop: string | null = null;
  /** How long its backend takes to make a link, in milliseconds, and the HTTP status that it answers with. */
  delay = 0;
  status = 200;
  /** Where the files of a built front end are. */
  folder: string | null = null;

  private constructor(
    private readonly server: RunningServer,
    private readonly platformUrl: string,
    private readonly makeLink: () => Promise<RequestLinkAnswer>,
  ) {}

  static async start(platformUrl: string, makeLink: () => Promise<RequestLinkAnswer>): Promise<Product> {
    // Another site than the platform's, so that browsers keep them as far apart as in real life.
    const server: RunningServer = await serve('localhost', (url, _, response) => product.answer(url, response));
    const product = new Product(server, platformUrl, makeLink);
    return product;
  }

  get url(): string {
    return this.server.url;
  }

  reset() {
    Object.assign(this, { coop: null, delay: 0, status: 200 });
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  private async answer({ pathname }: URL, response: ServerResponse) {
    if (pathname === '/link') {
      await new Promise((done) => setTimeout(done, this.delay));
      response.writeHead(this.status, { 'content-type': 'application/json' });
      return response.end(JSON.stringify(await this.makeLink()));
    }
    const file = files[pathname] ?? join(this.folder ?? '', pathname);
    const type = types[extname(file)];
    if (!type || !existsSync(file)) return response.writeHead(404).end();
    const policy = `default-src 'none'; script-src 'self' 'nonce-page'; connect-src 'self' ${this.platformUrl}`;
    response.writeHead(200, {
      'content-type': type,
      'content-security-policy': policy,
      ...(this.coop && { 'cross-origin-opener-policy': this.coop }),
    });
    const text = readFileSync(file, 'utf8');
    if (!text.includes('{{data}}')) return response.end(text);
    return response.end(text.replace('{{data}}', JSON.stringify(await this.makeLink())));
  }
}
