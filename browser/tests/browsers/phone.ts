import type { Browser, BrowserContext, Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BrowserName, click, launch, pageAt, tap, until } from './drivers.js';
import { type Link, StandIn } from './stand-in.js';

// What the pages of the product declare.
declare const told: unknown[][];

export const PHONE = { width: 390, height: 844, hasTouch: true };

/** The connect flow in a real browser whose main pointer is a finger. */
export function phone(name: BrowserName) {
  let standIn: StandIn;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let link: Link;

  beforeAll(async () => {
    standIn = await StandIn.start();
    browser = await launch(name, { touch: true });
  });

  afterAll(async () => {
    await browser?.close();
    await standIn?.stop();
  });

  beforeEach(async () => {
    link = standIn.reset();
    context = await browser.createBrowserContext();
    page = await context.newPage();
    await page.setViewport(PHONE);
  });

  afterEach(async () => {
    await context.close();
  });

  const go = (path: string) => page.goto(`${standIn.product.url}${path}`);
  const outcome = () => until('the outcome', () => page.evaluate(() => told[0]));
  const hostedPage = () => pageAt(context, standIn.hostedPage);
  const provider = () => pageAt(context, standIn.providerUrl);

  describe("the guide's page, whose link has no return_url", () => {
    it('stays, and learns of the success in a tab of its own', async () => {
      await go('/guide');
      await tap(page, '#connect');
      const tab = await hostedPage();
      expect(page.url()).toBe(`${standIn.product.url}/guide`);
      // A popup has no menu bar, says Firefox; headless Chromium shows one everywhere.
      expect(await tab.evaluate(() => menubar.visible)).toBe(true);
      await tap(tab, '#continue');
      await tap(await provider(), '#approve');
      expect(await outcome()).toEqual(['success', link.connectionId]);
      await until('the tab to close', () => tab.isClosed());
      expect(page.url()).toBe(`${standIn.product.url}/guide`);
    });

    it('learns that the customer declined, or closed the tab', async () => {
      await go('/guide');
      await tap(page, '#connect');
      await tap(await hostedPage(), '#decline');
      expect(await outcome()).toEqual(['exit', 'rejected']);

      Object.assign(link, { status: 'pending', phase: 'created' });
      await tap(page, '#connect');
      const tab = await hostedPage();
      const before = link.askedAt.length;
      await until('two requests', () => link.askedAt.length >= before + 2);
      await tab.close();
      const second = await until('the second outcome', () => page.evaluate(() => told[1]));
      expect(second).toEqual(['exit', 'closed']);
    });
  });

  it('opens a tab for a promise, also of a link with a return_url', async () => {
    link.returnTo = `${standIn.product.url}/app`;
    await go('/app');
    await tap(page, '#connect');
    const tab = await hostedPage();
    await tap(tab, '#continue');
    await tap(await provider(), '#approve');
    expect(await outcome()).toEqual(['success', link.connectionId, 'creation']);
    expect(page.url()).toBe(link.returnTo);
  });

  describe('a link with a return_url', () => {
    beforeEach(async () => {
      link.returnTo = `${standIn.product.url}/app`;
      await go('/guide');
      await tap(page, '#connect');
      await until('the hosted page', () => page.url() === standIn.requestLink);
    });

    it('leads there and back, where the page learns the result', async () => {
      expect((await context.pages()).length).toBe(1);
      await click(page, '#continue');
      await until('the provider', () => page.url().startsWith(standIn.providerUrl));
      await click(page, '#approve');
      expect(await outcome()).toEqual(['success', link.connectionId, 'creation']);
      expect(page.url()).toBe(`${link.returnTo}?connection_id=${link.connectionId}&status=active`);
    });

    it('learns that the customer declined', async () => {
      await click(page, '#decline');
      expect(await outcome()).toEqual(['exit', 'rejected']);
    });

    it('learns that the customer turned back', async () => {
      // Not page.goBack(): the page comes back as it was, without loading. Once this call has returned, since the
      // navigation would end it.
      await page.evaluate(() => void setTimeout(() => history.back()));
      expect(await outcome()).toEqual(['exit', 'closed']);
    });

    it('loses nothing when the page is reloaded before the result', async () => {
      link.trouble = { status: 503 };
      await click(page, '#decline');
      await until('a request', () => link.askedAt.length > 0);
      await page.reload();
      link.trouble = null;
      expect(await outcome()).toEqual(['exit', 'rejected']);
    });
  });

  describe.each([
    ['a phone', 390, 844, true],
    ['a phone on its side', 844, 390, true],
    ['a tablet held upright', 820, 1180, true],
    ['a tablet on its side', 1180, 820, false],
  ])('%s (%i by %i)', (_, width, height, redirected) => {
    it.each([
      ['with', redirected],
      ['without', false],
    ])(`%s a return_url is redirected: %s`, async (wish, expected) => {
      if (wish === 'with') link.returnTo = `${standIn.product.url}/app`;
      await page.setViewport({ width, height, hasTouch: true });
      await go('/guide');
      await tap(page, '#connect');
      expect((await hostedPage()) === page).toBe(expected);
    });
  });
}
