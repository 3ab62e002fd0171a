import type { Browser, Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { click, launch, until } from './drivers.js';
import { enter, press, signInAndConsent } from './hosted-page.js';
import { OidcProvider, Service } from './processes.js';

/** How somebody came to a connection. */
interface Visit {
  customer: string;
  organization: string;
  connectionId: string;
  /** Whether the hosted page asked for the organization's OAuth client. */
  hadForm: boolean;
  /** The OAuth client with which the browser was sent to the provider. */
  clientId: string;
  /** What the hosted page said in the end. */
  outcome: string;
}

interface Connection {
  status: string;
  client_source: string | null;
  reconnection: { reason: string } | null;
}

const PEOPLE = ['ann', 'bo', 'cy'];
const OUTCOME = '.outcome ~ .lead';
const PROBLEM = '[role="alert"]';

/**
 * Two organizations with three people each. Their provider gives each organization an OAuth client of its own, which its first
 * person enters.
 */
describe('organizations with OAuth clients of their own', () => {
  const visits: Visit[] = [];
  let provider: OidcProvider;
  let service: Service;
  let browser: Browser;

  beforeAll(async () => {
    provider = await OidcProvider.start();
    service = await Service.start(provider);
    await provider.register(service.redirectUri('clio'), ['north-1', 'north-2', 'south-1']);
    await service.call('PUT', '/apps/clio/settings', { managed_by: 'organization' });
    browser = await launch('chromium');
    for (const organization of ['north', 'south']) {
      for (const person of PEOPLE) visits.push(await connect(`${person}@${organization}.example`, organization));
    }
  });

  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    provider?.stop();
  });

  /** Goes through the hosted page as a customer with a browser of their own. */
  async function connect(customer: string, organization: string, connectionId?: string): Promise<Visit> {
    const body = { organization: { id: organization, name: `${organization} Ltd` }, connection_id: connectionId };
    const link = await service.createLink({ app_id: 'clio', name: 'Cases', ...body }, customer);
    return withNewBrowser(async (page) => {
      await page.goto(link.request_link);
      const hadForm = (await page.$('[name="oauth_client_id"]')) !== null;
      if (hadForm) {
        await enter(page, 'oauth_client_id', `${organization}-1`);
        await enter(page, 'oauth_client_secret', 'mistyped');
        await press(page, 'connect');
        await comeBack(page, customer, PROBLEM);
        expect(await entered(page, 'oauth_client_id')).toBe(`${organization}-1`);
        expect(await entered(page, 'oauth_client_secret')).toBe('');
        await enter(page, 'oauth_client_secret', provider.clientSecret);
      }
      const clientId = clientOfAuthorization(page);
      await press(page, 'connect');
      const outcome = await comeBack(page, customer, OUTCOME);
      return { customer, organization, connectionId: link.connection_id, hadForm, clientId: await clientId, outcome };
    });
  }

  async function withNewBrowser<T>(visit: (page: Page) => Promise<T>): Promise<T> {
    const context = await browser.createBrowserContext();
    try {
      return await visit(await context.newPage());
    } finally {
      await context.close();
    }
  }

  /** The client id of the next authorization request. */
  function clientOfAuthorization(page: Page): Promise<string> {
    return new Promise((resolve) => {
      page.on('request', (request) => {
        const url = new URL(request.url());
        if (url.origin + url.pathname === `${provider.url}/auth`) resolve(url.searchParams.get('client_id') ?? '');
      });
    });
  }

  /** Consents at the provider, unless it remembers a consent, and gives the text of what the hosted page then shows. */
  async function comeBack(page: Page, login: string, selector: string): Promise<string> {
    await until(selector, async () => {
      if (await page.$('[name="login"]')) await signInAndConsent(page, login);
      return page.$(selector);
    });
    return page.$eval(selector, (element) => element.textContent);
  }

  const entered = (page: Page, field: string) =>
    page.$eval(`[name="${field}"]`, (input) => (input as HTMLInputElement).value);

  const connectionOf = ({ connectionId, customer }: Visit) =>
    service.call<Connection>('GET', `/connections/${connectionId}`, undefined, customer);

  const tokenOf = async ({ connectionId, customer }: Visit) =>
    (await service.call<{ access_token: string }>('POST', `/connections/${connectionId}/token`, {}, customer))
      .access_token;

  /** What the provider says to an access token. */
  const statusAtProvider = async (token: string) =>
    (await fetch(`${provider.url}/me`, { headers: { authorization: `Bearer ${token}` } })).status;

  const of = (organization: string) => visits.filter((visit) => visit.organization === organization);

  it('asks the first person alone, and sends everybody of an organization to its client', async () => {
    expect(visits.map(({ customer, hadForm, clientId }) => [customer, hadForm, clientId])).toEqual([
      ['ann@north.example', true, 'north-1'],
      ['bo@north.example', false, 'north-1'],
      ['cy@north.example', false, 'north-1'],
      ['ann@south.example', true, 'south-1'],
      ['bo@south.example', false, 'south-1'],
      ['cy@south.example', false, 'south-1'],
    ]);
    for (const visit of visits) {
      expect(await connectionOf(visit)).toMatchObject({ status: 'active', client_source: 'organization' });
      expect(visit.outcome.includes('is stored: everybody else')).toBe(visit.hadForm);
      expect(await statusAtProvider(await tokenOf(visit))).toBe(200);
    }
  });

  it('ends the sessions of one organization alone with an edit', async () => {
    const tokens = new Map<Visit, string>();
    for (const visit of visits) tokens.set(visit, await tokenOf(visit));
    const { admin_link } = await service.call<{ admin_link: string }>(
      'POST',
      '/organizations/north/admin-link',
      { name: 'north Ltd' },
      'ann@north.example',
    );
    await withNewBrowser(async (page) => {
      await page.goto(admin_link);
      expect(await page.$eval('main', (main) => main.textContent)).toContain('Connections that depend on it: 3.');
      await page.$eval('[name="oauth_client_id"]', (input) => {
        (input as HTMLInputElement).value = 'north-2';
      });
      await enter(page, 'oauth_client_secret', provider.clientSecret);
      await click(page, 'button[value="change"]');
      await until('the refusal', () => page.$(PROBLEM));
      expect((await connectionOf(of('north')[0] as Visit)).status).toBe('active');
      expect(await entered(page, 'oauth_client_id')).toBe('north-2');

      await withNewBrowser(async (other) => {
        expect((await other.goto(admin_link))?.status()).toBe(403);
        expect(await other.$('[name="oauth_client_id"]')).toBeNull();
      });

      await enter(page, 'oauth_client_secret', provider.clientSecret);
      await click(page, '[name="confirm"]');
      await click(page, 'button[value="change"]');
      await until('the new client', () => page.$('[role="status"]'));
    });
    for (const visit of of('north')) {
      expect(await connectionOf(visit)).toMatchObject({ reconnection: { reason: 'client_changed' } });
      await expect(tokenOf(visit)).rejects.toThrow('401');
      await until('the revocation', async () => (await statusAtProvider(tokens.get(visit) ?? '')) === 401);
    }
    for (const visit of of('south')) {
      expect(await connectionOf(visit)).toMatchObject({ status: 'active', reconnection: null });
      expect(await statusAtProvider(await tokenOf(visit))).toBe(200);
    }
    const [, bo] = of('north') as [Visit, Visit];
    const again = await connect(bo.customer, 'north', bo.connectionId);
    expect(again).toMatchObject({ connectionId: bo.connectionId, hadForm: false, clientId: 'north-2' });
    expect(await connectionOf(bo)).toMatchObject({ status: 'active', reconnection: null });
  });
});
