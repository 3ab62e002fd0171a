import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faults } from './axe.js';
import { click, launch, until } from './drivers.js';
import { enter, press, signInAndConsent } from './hosted-page.js';
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
  'client-popup',
  'client-stored-popup',
  'straight-on-popup',
  'admin-popup',
];

let provider: OidcProvider;
let service: Service;

beforeAll(async () => {
  provider = await OidcProvider.start();
  service = await Service.start(provider);
  await provider.register(service.redirectUri('clio'), ['example-1', provider.clientId]);
  const instructions = [
    'In [Clio](https://app.clio.com/), as an administrator:',
    '1. Open **Settings → Developer applications**, and press **Add**.',
    '2. Give it the Redirect URI from below.',
    '3. Copy the **App key** and the **App secret** here.',
  ].join('\n');
  await service.call('PUT', '/apps/clio/settings', { managed_by: 'organization', instructions });
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

/** How many organizations there are. The last one's OAuth client is entered on the page `client-stored`. */
let organizations = 1;

const goToClio = (page: Page) =>
  goToLink(page, { app_id: 'clio', organization: { id: `org_${organizations}`, name: 'Example Ltd' } });

async function enterClient(page: Page, secret: string) {
  await enter(page, 'oauth_client_id', 'example-1');
  await enter(page, 'oauth_client_secret', secret);
  await press(page, 'connect');
  await until('the provider', () => page.$('[name="login"]'));
  await signInAndConsent(page);
}

async function goToAdminPage(page: Page) {
  const path = `/organizations/org_${organizations}/admin-link`;
  const { admin_link } = await service.call<{ admin_link: string }>('POST', path, { name: 'Example Ltd' });
  await page.goto(admin_link);
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
  async client(page) {
    organizations += 1;
    await goToClio(page);
  },
  async 'client-failed'(page) {
    await goToClio(page);
    await enterClient(page, 'mistyped');
    await until('the form', () => page.$('[role="alert"]'));
  },
  async 'client-stored'(page) {
    await goToClio(page);
    await enterClient(page, provider.clientSecret);
    await until('the good news', () => page.$('.outcome.good'));
  },
  'straight-on': goToClio,
  admin: goToAdminPage,
  async 'admin-refused'(page) {
    await goToAdminPage(page);
    await enter(page, 'oauth_client_id', '-of-another-application');
    await enter(page, 'oauth_client_secret', 'a new secret');
    await click(page, 'button[value="change"]');
    await until('the refusal', () => page.$('[role="alert"]'));
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
          await page.evaluate(showPublicAddresses);
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

/** In the pictures, the addresses of this machine stand for those that a real service and a real provider have. */
function showPublicAddresses() {
  const shown = (text: string) =>
    text.replace(/http:\/\/127\.0\.0\.1:\d+/g, 'https://connect.example.com').replace('127.0.0.1', 'app.clio.com');
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    if (texts.currentNode.nodeValue) texts.currentNode.nodeValue = shown(texts.currentNode.nodeValue);
  }
}
