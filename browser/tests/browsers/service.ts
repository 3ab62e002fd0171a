import type { Browser, BrowserContext, Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { RequestLinkAnswer } from '../../src/types.js';
import { type BrowserName, click, launch, pageAt, sleep, until } from './drivers.js';
import { enter, press, signInAndConsent } from './hosted-page.js';
import { PHONE } from './phone.js';
import { OidcProvider, Service } from './processes.js';
import { Product } from './product.js';

// What the pages of the product declare.
declare const told: unknown[][];
declare const toldAt: number[];
declare const events: unknown[];

/** How often the time from a change to `onSuccess` is measured. */
const ROUNDS = 20;

/** The connect flow in a real browser with the real connect-service and an OAuth provider that others wrote. */
export function withService(name: BrowserName) {
  let provider: OidcProvider;
  let service: Service;
  let product: Product;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  /** What the product's backend asks for next, and what it got last. */
  let wanted: Record<string, unknown>;
  let link: RequestLinkAnswer;

  beforeAll(async () => {
    provider = await OidcProvider.start();
    service = await Service.start(provider);
    product = await Product.start(service.url, async () => {
      link = await service.createLink(wanted);
      return link;
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
    context = await browser.createBrowserContext();
    page = await context.newPage();
  });

  afterEach(async () => {
    await context.close();
  });

  async function connect(body: Record<string, unknown>, path = '/app') {
    wanted = { name: 'Work', ...body };
    await page.goto(`${product.url}${path}`);
    await click(page, '#connect');
    return pageAt(context, `${service.url}/platform/v1/connect/`);
  }

  const outcome = () => until('the outcome', () => page.evaluate(() => told[0]));
  const status = async () => (await service.getConnection(link.connection_id)).status;

  it("connects an app with an API key, from a page with the guide's calls", async () => {
    const popup = await connect({ app_id: 'insightly' }, '/guide');
    await press(popup, 'connect');
    await until('the complaint', () => popup.$('[role="alert"]'));
    await enter(popup, 'api_key', 'a key');
    await enter(popup, 'api_url', 'https://api.na1.insightly.com/v3.1');
    await press(popup, 'connect');
    expect(await outcome()).toEqual(['success', link.connection_id]);
    expect(await status()).toBe('active');
    await until('the popup to close', () => popup.isClosed());
  });

  it('connects an OAuth app, then connects it anew', async () => {
    const popup = await connect({ app_id: 'gmail' });
    await press(popup, 'connect');
    await signInAndConsent(popup);
    expect(await outcome()).toEqual(['success', link.connection_id, 'creation']);
    expect(await status()).toBe('active');

    const first = link.connection_id;
    const again = await connect({ connection_id: first });
    await press(again, 'connect');
    expect(await outcome()).toEqual(['success', first, 'reauth']);
  });

  it('tells each step, and why it failed, while the customer is on the way', async () => {
    const popup = await connect({ app_id: 'gmail' });
    const seen = (count: number) => until(`${count} events`, () => page.evaluate((n) => events.length >= n, count));
    await seen(2);
    let sentTo = '';
    popup.on('request', (request) => {
      if (request.url().startsWith(`${provider.url}/auth?`)) sentTo = request.url();
    });
    await press(popup, 'connect');
    await seen(3);
    const state = await until('the provider', () => new URL(sentTo).searchParams.get('state'));
    const query = new URLSearchParams({ state, error: 'server_error', error_description: "the provider's own words" });
    await popup.goto(`${service.url}/platform/v1/oauth/callback/gmail?${query}`);
    await seen(5);
    await click(popup, 'a');
    await press(popup, 'connect');
    await signInAndConsent(popup);
    expect(await outcome()).toEqual(['success', link.connection_id, 'creation']);
    const message = 'The provider sent the customer back with an error';
    expect(await page.evaluate(() => events)).toEqual([
      { type: 'opened' },
      { type: 'form' },
      { type: 'at_provider' },
      { type: 'returned' },
      { type: 'error', error: { code: 'provider_refused', message } },
    ]);
  });

  it('tells a success by the response that waited for it', async () => {
    const rounds: { took: number; waited: boolean }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const popup = await connect({ app_id: 'insightly' });
      // At any moment, of which some are right after the click.
      await sleep(round * 150);
      const change = await service.submit(link, 'api_key', {
        api_key: 'a key',
        api_url: 'https://api.na1.insightly.com/v3.1',
      });
      await outcome();
      const [at = 0, asked = 0] = await page.evaluate(() => {
        const polls = performance
          .getEntriesByType('resource')
          .filter(({ name }) => new URL(name).pathname.endsWith('/status'));
        return [toldAt[0], performance.timeOrigin + (polls.at(-1)?.startTime ?? 0)];
      });
      rounds.push({ took: at - change, waited: asked <= change });
      await until('the popup to close', () => popup.isClosed());
    }
    const median = rounds.map(({ took }) => took).sort((a, b) => a - b)[ROUNDS / 2];
    console.log(`${name}: from the change to onSuccess: ${median?.toFixed(1)} ms in the median of ${ROUNDS}`);
    expect(rounds.filter(({ waited }) => waited).length).toBeGreaterThan(ROUNDS / 2);
  });

  it('learns that the customer declined', async () => {
    await press(await connect({ app_id: 'gmail' }), 'decline');
    expect(await outcome()).toEqual(['exit', 'rejected']);
    expect(await status()).toBe('rejected');
  });

  it('learns that the window was closed', async () => {
    const popup = await connect({ app_id: 'gmail' });
    await new Promise((done) => setTimeout(done, 2000));
    await popup.close();
    expect(await outcome()).toEqual(['exit', 'closed']);
  });

  it('works in a page that is cut off from its popup', async () => {
    product.coop = 'same-origin';
    const popup = await connect({ app_id: 'gmail' });
    product.reset();
    await press(popup, 'connect');
    await signInAndConsent(popup);
    expect(await outcome()).toEqual(['success', link.connection_id, 'creation']);
  });

  it("connects in a tab on a phone, by the guide's calls", async () => {
    await page.setViewport(PHONE);
    const tab = await connect({ app_id: 'gmail' }, '/guide');
    expect(page.url()).toBe(`${product.url}/guide`);
    await press(tab, 'connect');
    await signInAndConsent(tab);
    expect(await outcome()).toEqual(['success', link.connection_id]);
    expect(await status()).toBe('active');
    await until('the tab to close', () => tab.isClosed());
  });

  it('goes there and back on a phone by a link with a return_url', async () => {
    await page.setViewport(PHONE);
    const hosted = await connect({ app_id: 'insightly', return_url: `${product.url}/app` }, '/guide');
    expect(hosted).toBe(page);
    await enter(page, 'api_key', 'a key');
    await enter(page, 'api_url', 'https://api.na1.insightly.com/v3.1');
    await press(page, 'connect');
    expect(await outcome()).toEqual(['success', link.connection_id, 'creation']);
    const url = new URL(page.url());
    expect(url.origin + url.pathname).toBe(`${product.url}/app`);
    expect(url.href).not.toContain(link.request_token);
  });
}
