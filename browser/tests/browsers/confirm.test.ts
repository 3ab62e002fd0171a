import type { Browser, BrowserContext, Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RequestLinkAnswer } from '../../src/types.js';
import { launch, until } from './drivers.js';
import { press, signInAndConsent } from './hosted-page.js';
import { OidcProvider, Service } from './processes.js';
import { type RunningServer, serve } from './servers.js';

const ALICE = 'alice@example.com';
const MALLORY = 'mallory@example.com';

/**
 * "Finish my link for me": Mallory makes a link in a session of her own and sends it to Alice, who is signed in to the same
 * product and consents in good faith.
 */
describe.each(['chromium', 'firefox'] as const)("somebody else's link in %s", (name) => {
  let provider: OidcProvider;
  let service: Service;
  let product: RunningServer;
  let browser: Browser;
  let alice: BrowserContext;
  let mallory: BrowserContext;
  /** The codes that the product's return address was given. */
  let codes: string[];
  /** Whether the product confirms at once. */
  let confirms: boolean;

  beforeAll(async () => {
    provider = await OidcProvider.start();
    service = await Service.start(provider);
    // A product that knows its customers by a cookie. It confirms in the name of the session that the code came with.
    product = await serve('localhost', async ({ pathname, searchParams }, request, response) => {
      if (pathname === '/login') {
        return response
          .writeHead(200, { 'set-cookie': `session=${searchParams.get('as')}; HttpOnly; SameSite=Lax` })
          .end();
      }
      const session = /session=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? 'nobody@example.com';
      const code = searchParams.get('confirmation_code');
      let outcome = searchParams.get('status');
      if (code) {
        codes.push(code);
      }
      if (code && confirms) {
        const id = searchParams.get('connection_id') ?? '';
        outcome = await service.confirmConnection(id, code, session).then(
          ({ status }) => status,
          (error: Error) => error.message,
        );
      }
      response.writeHead(200, { 'content-type': 'text/plain' }).end(`${session}: ${outcome}`);
    });
    browser = await launch(name);
  });

  afterAll(async () => {
    await browser?.close();
    await product?.stop();
    await service?.stop();
    provider?.stop();
  });

  beforeEach(async () => {
    codes = [];
    confirms = true;
    [alice, mallory] = [await signedIn(ALICE), await signedIn(MALLORY)];
  });

  afterEach(async () => {
    await alice.close();
    await mallory.close();
  });

  async function signedIn(customer: string): Promise<BrowserContext> {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    await page.goto(`${product.url}/login?as=${customer}`);
    await page.close();
    return context;
  }

  const makeLink = (customer: string, confirm: boolean) =>
    service.createLink({ app_id: 'gmail', name: 'Mail', return_url: `${product.url}/connected`, confirm }, customer);

  async function consent(context: BrowserContext, link: RequestLinkAnswer): Promise<string> {
    const page = await context.newPage();
    await page.goto(link.request_link);
    await press(page, 'connect');
    await signInAndConsent(page);
    await until('the way back', () => page.url().startsWith(`${product.url}/connected`));
    return text(page);
  }

  const text = (page: Page) => page.evaluate(() => document.body.textContent);

  it('becomes active without confirm', async () => {
    const link = await makeLink(MALLORY, false);
    await consent(alice, link);
    expect((await service.getConnection(link.connection_id, MALLORY)).status).toBe('active');
  });

  it('is never active with confirm, whether Mallory sees the code or not', async () => {
    confirms = false;
    const link = await makeLink(MALLORY, true);
    const before = await mallory.newPage();
    await before.goto(link.request_link);
    await consent(alice, link);
    expect((await service.getConnection(link.connection_id, MALLORY)).status).toBe('pending');

    // What she has: the form from before, the link, the request token.
    expect(codes).toHaveLength(1);
    const [code = ''] = codes;
    await press(before, 'connect');
    await until('the page after the form', async () => (await text(before)).includes('not connected yet'));
    const page = await mallory.newPage();
    await page.goto(link.request_link);
    const status = await fetch(`${service.url}/platform/v1/connections/${link.connection_id}/status`, {
      headers: { 'x-request-token': link.request_token },
    });
    const seen = [await before.content(), before.url(), await page.content(), page.url(), await status.text()].join();
    expect(seen).toContain('"confirmation_required":true');
    expect(seen).not.toContain(code);
    expect(codes).toHaveLength(1);
    await expect(service.confirmConnection(link.connection_id, 'a-guess', MALLORY)).rejects.toThrow('400');
    expect((await service.getConnection(link.connection_id, MALLORY)).status).toBe('pending');

    // Alice's session brings the code. Even if she is talked into telling it then, it is worth nothing.
    await expect(service.confirmConnection(link.connection_id, code, ALICE)).rejects.toThrow('404');
    expect((await service.getConnection(link.connection_id, MALLORY)).status).toBe('expired');
    await expect(service.confirmConnection(link.connection_id, code, MALLORY)).rejects.toThrow('409');
  });

  it("connects the customer's own", async () => {
    const link = await makeLink(ALICE, true);
    expect(await consent(alice, link)).toBe('alice@example.com: active');
    expect((await service.getConnection(link.connection_id)).status).toBe('active');
  });
});
