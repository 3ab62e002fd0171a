import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RequestLinkAnswer } from '../../src/types.js';
import { launch, pageAt, until } from './drivers.js';
import { DevService, Example } from './processes.js';

/** examples/custom-ui as it stands, with `connect-service dev`: a form of the product's own, in real browsers. */
describe.each(['chromium', 'firefox'] as const)("a product's own form in %s", (name) => {
  let dev: DevService;
  let example: Example;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    dev = await DevService.start();
    example = await Example.start('custom-ui', dev);
    browser = await launch(name);
  });

  afterAll(async () => {
    await browser?.close();
    example?.stop();
    await dev?.stop();
  });

  beforeEach(async () => {
    context = await browser.createBrowserContext();
    page = await context.newPage();
    await page.goto(example.url);
    await until('the forms', () => page.$('form'));
  });

  afterEach(async () => {
    await context.close();
  });

  const text = (selector: string) => page.$eval(selector, (element) => element.textContent);
  const outcome = (text: string) =>
    until(text, async () => (await page.$eval('#outcome', (element) => element.textContent)).includes(text));
  /** The button of the form for an option. */
  async function press(title: string, on = page) {
    const button = await until(`a button ${title}`, async () => {
      for (const button of await on.$$('button')) {
        if ((await button.evaluate((element) => element.textContent)).includes(title)) return button;
      }
      return null;
    });
    await button.click();
  }

  it('connects by a key, after a mistake that its field tells', async () => {
    expect(await page.$$eval('form h2', (headings) => headings.map((heading) => heading.textContent))).toEqual([
      'Gmail',
      'SendGrid',
    ]);
    await press('API key');
    await outcome('Please check');
    expect(await text('#sendgrid-api_key-api_key-error')).toBe('API key is required.');
    await page.type('#sendgrid-api_key-api_key', 'SG.a-key');
    await press('API key');
    await outcome('SendGrid is connected');
    expect((await context.pages()).length).toBe(1);
  });

  it('goes straight to the provider, without a second consent page', async () => {
    await press('Google');
    // A page of the platform in between would wait for a click.
    const popup = await pageAt(context, dev.providerUrl);
    await press('Allow', popup);
    await outcome('Gmail is connected');
    expect(await text('#outcome')).toBe('Gmail is connected as A customer of connect-service dev.');
    await until('the popup to close', () => popup.isClosed());
  });

  it("does not lead another person's browser there", async () => {
    // Mallory has her own link from the product. A program claims the product's origin, and she sends Alice the addresses.
    const mallory = await page.evaluate(async () => (await fetch('/api/link', { method: 'POST' })).json());
    const addresses = await addressesOf(mallory as RequestLinkAnswer);
    const alice = await browser.createBrowserContext();
    for (const address of addresses) {
      const opened = await alice.newPage();
      await opened.goto(address);
      expect(new URL(opened.url()).pathname).toContain('/connect/');
      expect(await opened.evaluate(() => document.body.textContent)).toContain('alice@example.com');
    }
    // A form on a page of somebody else's, in Alice's browser.
    const elsewhere = createServer((_, response) =>
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end(`<form method="post" action="${addresses[0]}"></form><script>document.forms[0].submit()</script>`),
    );
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    const evil = await alice.newPage();
    await evil.goto(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`);
    await until('the page that asks', () => new URL(evil.url()).pathname.includes('/connect/'));
    await alice.close();
    elsewhere.close();
  });

  /** Where her form leads, and where the service leads a program that claims to be the product's page. */
  async function addressesOf(link: RequestLinkAnswer): Promise<string[]> {
    const submitted = await fetch(`${dev.baseUrl}/connections/${link.connection_id}/submit`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-token': link.request_token },
      body: JSON.stringify({ app_id: 'gmail', auth_option_key: 'oauth' }),
    });
    const { data } = (await submitted.json()) as { data: { authorize_url: string } };
    const claimed = await fetch(data.authorize_url, {
      method: 'POST',
      headers: { origin: example.url },
      redirect: 'manual',
    });
    expect(claimed.headers.get('set-cookie')).toContain('connect-authorize=');
    return [data.authorize_url, claimed.headers.get('location') ?? ''];
  }
});
