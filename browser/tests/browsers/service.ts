import type { Browser, BrowserContext, Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { RequestLinkAnswer } from '../../src/types.js';
import { type BrowserName, click, launch, pageAt, until } from './drivers.js';
import { enter, press, signInAndConsent } from './hosted-page.js';
import { PHONE } from './phone.js';
import { OidcProvider, Service } from './processes.js';
import { Product } from './product.js';

declare const told: unknown[][];

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
