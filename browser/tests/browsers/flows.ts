import type { Browser, BrowserContext, Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BrowserName, click, launch, pageAt, until } from './drivers.js';
import { GONE, type Link, StandIn } from './stand-in.js';

// What the pages of the product declare.
declare const told: unknown[][];
declare const violations: string[];
declare const popup: Window | null;
declare const resumed: boolean;

/** The connect flow in a real browser, against a platform that does whatever a test needs. */
export function flows(name: BrowserName) {
  let standIn: StandIn;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let link: Link;

  beforeAll(async () => {
    standIn = await StandIn.start();
    browser = await launch(name);
  });

  afterAll(async () => {
    await browser?.close();
    await standIn?.stop();
  });

  beforeEach(async () => {
    link = standIn.reset();
    context = await browser.createBrowserContext();
    page = await context.newPage();
  });

  afterEach(async () => {
    await context.close();
  });

  const go = (path: string) => page.goto(`${standIn.product.url}${path}`);
  const outcome = () => until('the outcome', () => page.evaluate(() => told[0]));
  const nothingTold = async () => (await page.evaluate(() => told.length)) === 0;
  const hostedPage = () => pageAt(context, standIn.hostedPage);
  const provider = () => pageAt(context, standIn.providerUrl);
  const gone = (page: Page) => until('the popup to close', () => page.isClosed());
  /** The platform was asked so many times from now on. */
  async function asked(times: number) {
    const before = link.askedAt.length;
    await until(`${times} questions`, () => link.askedAt.length >= before + times);
  }

  async function openPopup() {
    await click(page, '#connect');
    return hostedPage();
  }

  describe("a page with the guide's calls", () => {
    it('connects, then connects again', async () => {
      await go('/guide');
      const popup = await openPopup();
      await click(popup, '#continue');
      await click(await provider(), '#approve');
      expect(await outcome()).toEqual(['success', link.connectionId]);
      await gone(popup);

      link.status = 'pending';
      link.phase = 'created';
      await click(await openPopup(), '#decline');
      const second = await until('the second outcome', () => page.evaluate(() => told[1]));
      expect(second).toEqual(['exit', 'rejected']);
    });

    it('learns that the link has expired', async () => {
      await go('/guide');
      const popup = await openPopup();
      link.status = 'expired';
      expect(await outcome()).toEqual(['exit', 'expired']);
      await gone(popup);
    });

    it('learns that the window was closed', async () => {
      await go('/guide');
      const popup = await openPopup();
      await asked(2);
      await popup.close();
      expect(await outcome()).toEqual(['exit', 'closed']);
    });

    it('learns that time is up where the platform cannot say more', async () => {
      await go('/guide');
      link.expiresIn = 0;
      const popup = await openPopup();
      await asked(1);
      link.trouble = { status: 503 };
      expect(await outcome()).toEqual(['exit', 'timeout']);
      await gone(popup);
    });
  });

  describe('the window', () => {
    it('is blocked outside a click', async () => {
      await go('/app#at-once');
      expect(await outcome()).toEqual(['error', 'popup_blocked']);
      expect(link.askedAt).toEqual([]);
    });

    it('waits blank for a slow backend, and a slow platform is only slow', async () => {
      standIn.product.delay = 2000;
      link.delay = 1500;
      await go('/app');
      await click(page, '#connect');
      await pageAt(context, 'about:blank');
      const popup = await hostedPage();
      await click(popup, '#continue');
      await click(await provider(), '#approve');
      expect(await outcome()).toEqual(['success', link.connectionId, 'creation']);
      expect(await page.evaluate(() => violations)).toEqual([]);
    });

    it('closes when the backend fails', async () => {
      standIn.product.status = 500;
      await go('/app');
      await click(page, '#connect');
      expect(await outcome()).toEqual(['error', 'network']);
      await until('the popup to close', async () => (await context.pages()).length === 1);
    });

    it('finds nothing to resume when it comes back to the product', async () => {
      link.returnTo = `${standIn.product.url}/app`;
      await go('/app');
      const popup = await openPopup();
      await click(popup, '#continue');
      // The platform's answer is held back, so that the popup stands on the product's page for a while.
      link.trouble = { status: 503, headers: { 'retry-after': '4' } };
      await asked(1);
      await click(await provider(), '#approve');
      const returned = await pageAt(context, `${standIn.product.url}/app?connection_id=`);
      expect(await returned.evaluate(() => [resumed, told.length])).toEqual([false, 0]);
      link.trouble = null;
      expect(await outcome()).toEqual(['success', link.connectionId, 'creation']);
    });
  });

  describe('a Cross-Origin-Opener-Policy', () => {
    const claimsToBeClosed = () => until('the popup to be cut off', () => page.evaluate(() => popup?.closed));

    it('of the page makes a living popup look closed, which is seen through', async () => {
      standIn.product.coop = 'same-origin';
      await go('/app');
      const popup = await openPopup();
      await claimsToBeClosed();
      await asked(2);
      expect(await nothingTold()).toBe(true);
      await click(popup, '#continue');
      await click(await provider(), '#approve');
      expect(await outcome()).toEqual(['success', link.connectionId, 'creation']);
    });

    it.each([['same-origin'], ['noopener-allow-popups']])('of the provider (%s) does so, too', async (coop) => {
      link.providerCoop = coop;
      await go('/app');
      const popup = await openPopup();
      await asked(2);
      await click(popup, '#continue');
      const consent = await provider();
      // Firefox does not know the younger of the two yet.
      if (coop === 'same-origin' || name === 'chromium') await claimsToBeClosed();
      await asked(2);
      expect(await nothingTold()).toBe(true);
      await click(consent, '#approve');
      expect(await outcome()).toEqual(['success', link.connectionId, 'creation']);
    });

    it('leaves a customer who gave up at the provider to the expiry', async () => {
      link.providerCoop = 'same-origin';
      await go('/app');
      await click(await openPopup(), '#continue');
      await (await provider()).close();
      await asked(2);
      expect(await nothingTold()).toBe(true);
      link.status = 'expired';
      expect(await outcome()).toEqual(['exit', 'expired']);
    });
  });

  it('believes no message', async () => {
    await go('/app');
    const popup = await openPopup();
    const lie = { type: 'pabbly-connect', connection_id: link.connectionId, status: 'active' };
    await page.evaluate((lie) => window.postMessage(lie, '*'), lie);
    await popup.evaluate((lie) => window.opener.postMessage(lie, '*'), lie);
    await click(popup, '#continue');
    const consent = await provider();
    await consent.evaluate((lie) => window.opener.postMessage(lie, '*'), lie);
    await asked(2);
    expect(await nothingTold()).toBe(true);
    await click(consent, '#approve');
    expect(await outcome()).toEqual(['success', link.connectionId, 'creation']);
  });

  it('leaves the platform alone for as long as Retry-After says', async () => {
    link.trouble = { status: 429, headers: { 'retry-after': '4' } };
    await go('/app');
    await openPopup();
    await asked(2);
    const [first = 0, second = 0] = link.askedAt;
    expect(second - first).toBeGreaterThanOrEqual(3900);
  });

  it('knows that the platform does not know the link', async () => {
    await go('/app');
    link.trouble = { status: 404, body: GONE };
    await click(page, '#connect');
    expect(await outcome()).toEqual(['error', 'invalid_token']);
  });

  it('goes on after a reload in the middle', async () => {
    await go('/app');
    await click(await openPopup(), '#continue');
    const consent = await provider();
    await page.reload();
    expect(await page.evaluate(() => resumed)).toBe(true);
    await click(consent, '#approve');
    expect(await outcome()).toEqual(['success', link.connectionId, 'creation']);
    await page.reload();
    expect(await page.evaluate(() => resumed)).toBe(false);
  });
}
