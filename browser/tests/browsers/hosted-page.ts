import type { Page } from 'puppeteer-core';
import { click, until } from './drivers.js';

/** What a customer does on connect-service's page and at oidc-provider. */

export async function enter(page: Page, field: string, value: string): Promise<void> {
  const input = await until(`the field ${field}`, () => page.$(`[name="${field}"]`));
  await input.type(value);
}

export async function press(page: Page, action: 'connect' | 'decline'): Promise<void> {
  await click(page, `button[value="${action}"]`);
}

export async function signInAndConsent(page: Page, login = 'alice'): Promise<void> {
  await enter(page, 'login', login);
  await enter(page, 'password', 'of no matter');
  await click(page, 'button[type="submit"]');
  await until('the consent', () => page.evaluate(() => document.body.textContent.includes('Authorize')));
  await click(page, 'button[type="submit"]');
}
