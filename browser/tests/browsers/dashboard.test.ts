import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faults } from './axe.js';
import { click, launch, until } from './drivers.js';
import { enter } from './hosted-page.js';
import { DevService } from './processes.js';

/** A folder for the pictures in the documentation; see `npm run screenshots`. */
const folder = process.env.SCREENSHOTS;
const pictures = [
  'keys-desktop',
  'connections-desktop',
  'connections-phone',
  'rotation-dark',
  'my-connections-desktop',
];

const OWNER = 'owner@example.com';
const CUSTOMER = 'alice@example.com';

let service: DevService;

beforeAll(async () => {
  service = await DevService.start();
  if (folder) mkdirSync(folder, { recursive: true });
});

afterAll(async () => {
  await service?.stop();
});

const base = () => service.environment.PC_BASE_URL ?? '';
const dashboard = () => `${new URL(base()).origin}/dashboard`;

async function api(key: string, method: string, path: string, body?: unknown) {
  const response = await fetch(`${base()}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'x-user-email': CUSTOMER, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, data: (await response.json()).data };
}

async function control(command: Record<string, unknown>) {
  const response = await fetch(service.environment.PC_DEV_URL ?? '', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(command),
  });
  expect(response.ok).toBe(true);
  return response.json();
}

async function signIn(page: Page, email: string) {
  const { url } = await control({ command: 'sign_in', email });
  await page.goto(url);
  await click(page, 'form button');
  await until('the dashboard', () => page.$('nav.side'));
}

/** Clicks what leads to another page, and waits for that. */
async function follow(page: Page, selector: string) {
  await Promise.all([page.waitForNavigation(), click(page, selector)]);
}

/** Follows a link of the navigation. */
async function go(page: Page, section: string) {
  // The page that is left may be the same one.
  await follow(page, `nav.side a[href$="/${section}"]`);
  await until(section, () => page.$(`nav.side a[href$="/${section}"][aria-current="page"]`));
}

/** The secret that the page shows this once. */
async function shown(page: Page, id = 'secret'): Promise<string> {
  const field = await until('the secret', () => page.$(`#${id}`));
  return field.evaluate((input) => (input as HTMLInputElement).value);
}

async function text(page: Page): Promise<string> {
  return page.evaluate(() => document.body.innerText);
}

describe('the dashboard', () => {
  let browser: Browser;
  let context: BrowserContext;

  beforeAll(async () => {
    browser = await launch('chromium');
    context = await browser.createBrowserContext();
  });

  afterAll(async () => {
    await browser?.close();
  });

  it('takes a newcomer from a key to a withdrawn connection', async () => {
    const page = await context.newPage();
    await signIn(page, OWNER);
    await go(page, 'keys');
    await enter(page, 'name', 'production');
    await follow(page, 'section[aria-labelledby="generate"] button');
    const first = await shown(page);
    expect(first).toMatch(/^pk_test_/);
    // The key is on the page, and not in its address; no page has it again.
    expect(page.url()).not.toContain(first);
    await page.goto(`${page.url()}`);
    expect(await page.content()).not.toContain(first);
    await page.goBack();
    expect(await text(page)).not.toContain(first);

    const link = (await api(first, 'POST', '/connections/request-link', { app_id: 'gmail', name: 'Work' })).data;
    await control({ command: 'connect', request_link: link.request_link });
    expect((await api(first, 'POST', `/connections/${link.connection_id}/token`)).status).toBe(200);

    await go(page, 'keys');
    await follow(page, 'form[action$="/rotate"] button');
    const second = await shown(page);
    await go(page, 'keys');
    expect(await text(page)).toContain('not safe to retire the old key');
    expect((await api(second, 'GET', '/apps')).status).toBe(200);
    await go(page, 'keys');
    await follow(page, 'form[action$="/promote"] button');
    await until('the end of the rotation', async () => (await api(first, 'GET', '/apps')).status === 401);

    await go(page, 'connections');
    await enter(page, 'search', 'alice');
    await follow(page, 'form.filters button');
    await follow(page, 'tbody a');
    await until('the connection', () => page.$('dl'));
    expect(await text(page)).toContain('connection.active');
    await follow(page, 'form[action$="/link"] button');
    expect(await shown(page, 'link')).toContain('/connect/');

    const customer = await (await browser.createBrowserContext()).newPage();
    await signIn(customer, CUSTOMER);
    expect(await text(customer)).toContain('Gmail');
    await follow(customer, 'a[href$="/withdraw"]');
    await follow(customer, 'button.danger');
    await until('the empty list', async () => (await text(customer)).includes('There is none.'));
    expect((await api(second, 'GET', `/connections/${link.connection_id}`)).status).toBe(404);
  });

  it('copies by a click, and works without script', async () => {
    const page = await context.newPage();
    await signIn(page, OWNER);
    await go(page, 'keys');
    await enter(page, 'name', 'copied');
    await click(page, 'section[aria-labelledby="generate"] button');
    await shown(page);
    await until('the button', () => page.$('button[data-copy="secret"]:not([hidden])'));
    const without = await (await browser.createBrowserContext()).newPage();
    await without.setRequestInterception(true);
    without.on('request', (request) => {
      if (request.resourceType() === 'script') request.abort();
      else request.continue();
    });
    await signIn(without, OWNER);
    await go(without, 'keys');
    await enter(without, 'name', 'without');
    await click(without, 'section[aria-labelledby="generate"] button');
    expect(await shown(without)).toMatch(/^pk_test_/);
    expect(await without.$('button[data-copy="secret"]:not([hidden])')).toBeNull();
  });
});

const appearances = [
  { appearance: 'desktop', width: 1200, height: 900, dark: false },
  { appearance: 'dark', width: 1200, height: 900, dark: true },
  { appearance: 'phone', width: 320, height: 700, dark: false },
];

describe.each(appearances)('the dashboard ($appearance)', ({ appearance, width, height, dark }) => {
  it('has nothing that axe finds fault with, and nothing beside the page', async () => {
    const key = service.environment.PC_TENANT_KEY ?? '';
    const link = (await api(key, 'POST', '/connections/request-link', { app_id: 'slack', name: 'Chat' })).data;
    await control({ command: 'connect', request_link: link.request_link });
    const browser = await launch('chromium', { dark });
    try {
      const page = await (await browser.createBrowserContext()).newPage();
      await page.setViewport({ width, height });
      const look = async (name: string) => {
        const picture = `${name}-${appearance}`;
        if (folder && (pictures.includes(picture) || process.env.ALL_SCREENSHOTS)) {
          await page.screenshot({ path: join(folder, `dashboard-${picture}.png`), fullPage: true });
        }
        expect.soft(await faults(page), picture).toEqual([]);
        expect
          .soft(await page.evaluate(() => document.documentElement.scrollWidth), picture)
          .toBeLessThanOrEqual(width);
      };
      await page.goto(`${dashboard()}/sign-in`);
      await look('sign-in');
      const { url } = await control({ command: 'sign_in', email: OWNER });
      await page.goto(url);
      await look('link');
      await signIn(page, OWNER);
      await look('connections');
      await click(page, 'tbody a');
      await until('the connection', () => page.$('dl'));
      await look('connection');
      for (const section of ['keys', 'members', 'sessions', 'my-connections']) {
        await go(page, section);
        await look(section);
      }
      await page.goto(page.url().replace('my-connections', 'nothing'));
      await look('problem');
      await page.goto(dashboard());
      await go(page, 'keys');
      await click(page, 'form[action$="/rotate"] button');
      await shown(page);
      await look('rotation');
      await signIn(page, CUSTOMER);
      await look('my-connections');
      await click(page, 'a[href$="/withdraw"]');
      await until('the question', () => page.$('button.danger'));
      await look('withdraw');
    } finally {
      await browser.close();
    }
  });
});
