import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faults } from './axe.js';
import { launch, until } from './drivers.js';
import { enter, press } from './hosted-page.js';
import { OidcProvider, Service } from './processes.js';

/** A folder for the pictures in the documentation; see `npm run screenshots`. */
const folder = process.env.SCREENSHOTS;
const pictures = [
  'consent-desktop',
  'picker-popup',
  'form-popup',
  'error-popup',
  'success-popup',
  'form-dark',
  'consent-phone',
  'form-phone',
];

let provider: OidcProvider;
let service: Service;

beforeAll(async () => {
  provider = await OidcProvider.start();
  service = await Service.start(provider);
  if (folder) mkdirSync(folder, { recursive: true });
});

afterAll(async () => {
  await service?.stop();
  provider?.stop();
});

async function goToLink(page: Page, body: Record<string, unknown>) {
  const { request_link } = await service.createLink({ name: 'Work', display_name: 'Acme', ...body });
  await page.goto(request_link);
  return request_link;
}

/** How a customer comes to each page. */
const pages: Record<string, (page: Page) => Promise<unknown>> = {
  picker: (page) => goToLink(page, { allowed_apps: ['gmail', 'insightly', 'twilio'] }),
  consent: (page) => goToLink(page, { app_id: 'slack' }),
  form: (page) => goToLink(page, { app_id: 'insightly' }),
  async error(page) {
    await goToLink(page, { app_id: 'insightly' });
    await enter(page, 'api_url', 'nowhere');
    await press(page, 'connect');
    await until('the complaint', () => page.$('[role="alert"]'));
  },
  async success(page) {
    await goToLink(page, { app_id: 'openai' });
    await enter(page, 'api_key', 'sk-1');
    await press(page, 'connect');
    await until('the good news', () => page.$('.outcome.good'));
  },
  async declined(page) {
    await goToLink(page, { app_id: 'gmail' });
    await press(page, 'decline');
    await until('the outcome', () => page.$('.outcome'));
  },
  async unknown(page) {
    await page.goto(`${service.url}/platform/v1/connect/unknown`);
  },
};

const appearances = [
  { appearance: 'desktop', width: 1000, height: 860, dark: false },
  { appearance: 'popup', width: 500, height: 700, dark: false },
  { appearance: 'dark', width: 500, height: 700, dark: true },
  { appearance: 'phone', width: 390, height: 844, dark: false },
];

describe.each(appearances)('the hosted page ($appearance)', ({ appearance, width, height, dark }) => {
  it('has nothing that axe finds fault with', async () => {
    const browser = await launch('chromium', { dark });
    try {
      for (const [name, visit] of Object.entries(pages)) {
        const context = await browser.createBrowserContext();
        const page = await context.newPage();
        await page.setViewport({ width, height });
        await visit(page);
        expect(await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches)).toBe(dark);
        const picture = `${name}-${appearance}`;
        if (folder && pictures.includes(picture)) {
          await page.screenshot({ path: join(folder, `hosted-page-${picture}.png`), fullPage: true });
        }
        expect.soft(await faults(page), picture).toEqual([]);
        await context.close();
      }
    } finally {
      await browser.close();
    }
  });
});
