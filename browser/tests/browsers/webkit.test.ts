import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RequestLinkAnswer } from '../../src/types.js';
import { until } from './drivers.js';
import { OidcProvider, Service } from './processes.js';
import { Product } from './product.js';
import { WebKit } from './webkit.js';

/** See `webkit.ts`: an emulation. */
describe('WebKitGTK with a window like a phone, with connect-service', () => {
  let provider: OidcProvider;
  let service: Service;
  let product: Product;
  let webkit: WebKit;
  let page: string;
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
  });

  afterAll(async () => {
    await product?.stop();
    await service?.stop();
    provider?.stop();
  });

  beforeEach(async () => {
    webkit = await WebKit.start();
    [page = ''] = await webkit.windows();
  });

  afterEach(async () => {
    await webkit?.stop();
  });

  const told = () => until('the outcome', () => webkit.evaluate<unknown[] | null>('told[0]'));
  const status = async () => (await service.getConnection(link.connection_id)).status;
  const hostedPage = () =>
    until('the hosted page', async () => (await webkit.url()).startsWith(`${service.url}/platform/v1/connect/`));

  async function connect(body: Record<string, unknown>, path: string) {
    wanted = { name: 'Work', ...body };
    await webkit.goto(product.url + path);
    expect(await webkit.evaluate("matchMedia('(max-width: 480px)').matches")).toBe(true);
    await webkit.click('#connect');
  }

  /** The customer is in the tab that was opened. */
  async function goToTab() {
    const tab = await until('the tab', async () => (await webkit.windows()).find((handle) => handle !== page));
    await webkit.switchTo(tab);
    await hostedPage();
  }

  /** What the page is told. The other browsers test that the tab closes: WebKitGTK kept it open in 1 of 51 runs. */
  async function backFromTab() {
    await webkit.switchTo(page);
    return told();
  }

  async function submitKey() {
    await webkit.enter('[name="api_key"]', 'a key');
    await webkit.enter('[name="api_url"]', 'https://api.na1.insightly.com/v3.1');
    await webkit.click('button[value="connect"]');
  }

  it("connects an OAuth app in a tab, by the guide's calls", async () => {
    await connect({ app_id: 'gmail' }, '/guide');
    await goToTab();
    await webkit.click('button[value="connect"]');
    await webkit.enter('[name="login"]', 'alice');
    await webkit.enter('[name="password"]', 'of no matter');
    await webkit.click('button[type="submit"]');
    await until('the consent', () => webkit.evaluate("document.body.textContent.includes('Authorize')"));
    await webkit.click('button[type="submit"]');
    expect(await backFromTab()).toEqual(['success', link.connection_id]);
    expect(await webkit.url()).toBe(`${product.url}/guide`);
    expect(await status()).toBe('active');
  });

  it('opens a tab for a promise, also of a link with a return_url', async () => {
    await connect({ app_id: 'insightly', return_url: `${product.url}/app` }, '/app');
    await goToTab();
    await submitKey();
    expect(await backFromTab()).toEqual(['success', link.connection_id, 'creation']);
    expect(await webkit.url()).toBe(`${product.url}/app`);
  });

  it('learns that the customer declined in the tab', async () => {
    await connect({ app_id: 'insightly' }, '/guide');
    await goToTab();
    await webkit.click('button[value="decline"]');
    expect(await backFromTab()).toEqual(['exit', 'rejected']);
  });

  it('goes there and back by a link with a return_url', async () => {
    await connect({ app_id: 'insightly', return_url: `${product.url}/app` }, '/guide');
    await hostedPage();
    expect(await webkit.windows()).toEqual([page]);
    await submitKey();
    expect(await told()).toEqual(['success', link.connection_id, 'creation']);
    expect(new URL(await webkit.url()).pathname).toBe('/app');
  });
});
