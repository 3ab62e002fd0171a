import type { Page } from 'puppeteer-core';
import { expect, it } from 'vitest';
import { launch, pageAt, sleep, tap, until } from './drivers.js';
import { PHONE } from './phone.js';
import { StandIn } from './stand-in.js';

declare const told: unknown[][];

/** What a phone's browser does with a page in the background; in Chromium alone. */
async function setLifecycleState(page: Page, state: 'frozen' | 'active') {
  const session = await page.createCDPSession();
  await session.send('Page.setWebLifecycleState', { state });
}

/** The guide's page on a phone does not run for so many milliseconds while the customer is in the other tab. */
export function frozen(milliseconds: number) {
  it(`learns of the success after it was frozen for ${milliseconds / 1000} s`, async () => {
    const standIn = await StandIn.start();
    const browser = await launch('chromium', { touch: true });
    try {
      const link = standIn.reset();
      const context = await browser.createBrowserContext();
      const page = await context.newPage();
      const asked = async (times: number) => {
        const before = link.askedAt.length;
        await until(`${times} requests`, () => link.askedAt.length >= before + times);
      };
      await page.setViewport(PHONE);
      await page.goto(`${standIn.product.url}/guide`);
      await tap(page, '#connect');
      const tab = await pageAt(context, standIn.hostedPage);
      // When the page runs again, the link's time is over, and a request from before has had no response.
      link.expiresIn = 0;
      await asked(2);
      link.delay = 3000;
      await asked(1);
      await setLifecycleState(page, 'frozen');
      link.delay = 0;
      const frozenAt = Date.now();
      await tap(tab, '#continue');
      await tap(await pageAt(context, standIn.providerUrl), '#approve');
      await until('the platform to know', () => link.status === 'active');
      await sleep(milliseconds - (Date.now() - frozenAt));
      expect(link.askedAt.filter((at) => at > frozenAt)).toEqual([]);
      expect(tab.isClosed()).toBe(false);

      await setLifecycleState(page, 'active');
      await page.bringToFront();
      expect(await until('the outcome', () => page.evaluate(() => told[0]))).toEqual(['success', link.connectionId]);
      await until('the tab to close', () => tab.isClosed());
    } finally {
      await browser.close();
      await standIn.stop();
    }
  });
}
