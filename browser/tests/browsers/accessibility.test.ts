import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faults } from './axe.js';
import { click, launch, until } from './drivers.js';
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
  'branded-popup',
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

const MANY = ['brevo', 'freshdesk', 'insightly', 'mailgun', 'openai', 'sendgrid', 'stripe', 'twilio'];

/** What a tenant may set. */
const BRAND = {
  accent_color: '#b00020',
  background_color: '#fbe9ec',
  background_color_dark: '#1b0b0e',
  corner_radius: 4,
  tagline: 'Questions? Write to help@acme.example.',
  links: [{ label: 'Privacy', url: 'https://acme.example/privacy' }],
};

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
  search: (page) => goToLink(page, { allowed_apps: MANY }),
  async 'search without a result'(page) {
    const link = await goToLink(page, { allowed_apps: MANY });
    await page.goto(`${link}?q=nothing`);
    await until('the news', () => page.$('[role="status"]'));
  },
  german: (page) => goToLink(page, { app_id: 'slack', locale: 'de' }),
  async secret(page) {
    await goToLink(page, { app_id: 'insightly' });
    await enter(page, 'api_key', 'a1b2c3d4');
    await click(page, 'button[value="show"]');
    await until('the secret', () => page.$('input[name="api_key"][type="text"]'));
  },
  async branded(page) {
    await service.brand(BRAND);
    await goToLink(page, { app_id: 'slack', locale: 'fr' });
    await service.brand({});
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
  { appearance: 'narrow', width: 320, height: 640, dark: false },
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
        const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect.soft(tooWide, `${picture} is wider than the screen`).toBeLessThanOrEqual(0);
        await context.close();
      }
    } finally {
      await browser.close();
    }
  });
});
