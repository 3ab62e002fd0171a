import { describe, expect, it } from 'vitest';
import type { ConnectForm } from '../../src/custom.js';
import type { ConnectOptions, LinkValues } from '../../src/types.js';
import { details, request, returning, status } from './fakes.js';
import { browser, custom, listeners, nothingTold, pass, resume, started } from './harness.js';

const base = 'https://connect.example/platform/v1';
const key: ConnectForm = { appId: 'brevo', authOptionKey: 'header', type: 'header', fields: { api_key: 'k' } };
const oauth: ConnectForm = { authOptionKey: 'oauth', type: 'o_auth' };

function submit(form: ConnectForm, options: ConnectOptions = {}, link: LinkValues = request) {
  return started(custom.submit(link, form, { ...listeners, ...options }));
}

/** The platform's answer where something is wrong. */
const wrong = (status: number, data: unknown, message = 'What is wrong') =>
  Response.json({ status: 'error', message, data }, { status });

const toProvider = (url = `${base}/authorize/abc?app=gmail&option=oauth`) => ({
  status: 'pending',
  authorize_url: url,
});

describe('the options', () => {
  it('are those of all apps, ready to be submitted', async () => {
    const inputSchema = { type: 'object', properties: {}, required: [] };
    browser.replies['auth-options'] = {
      auth_options: [
        {
          app: { id: 'gmail', name: 'Gmail' },
          key: 'oauth',
          type: 'o_auth',
          title: 'Sign in',
          input_schema: inputSchema,
        },
        {
          app: { id: 'clio', name: 'Clio' },
          key: 'oauth',
          type: 'o_auth',
          title: 'Sign in',
          input_schema: inputSchema,
          client_setup: {
            organization: 'Example Ltd',
            allowed: true,
            redirect_uri: 'https://connect.example/callback',
            instructions_html: '<p>How.</p>',
            client_id: 'c',
            secret_is_known: true,
          },
        },
      ],
    };
    const options = await custom.authOptions({
      request_link: request.requestLink,
      request_token: request.requestToken,
      connection_id: request.connectionId,
    });
    expect(options).toEqual([
      {
        appId: 'gmail',
        appName: 'Gmail',
        authOptionKey: 'oauth',
        type: 'o_auth',
        title: 'Sign in',
        description: '',
        inputSchema,
        clientSetup: null,
      },
      {
        appId: 'clio',
        appName: 'Clio',
        authOptionKey: 'oauth',
        type: 'o_auth',
        title: 'Sign in',
        description: '',
        inputSchema,
        clientSetup: {
          organization: 'Example Ltd',
          allowed: true,
          redirectUri: 'https://connect.example/callback',
          instructionsHtml: '<p>How.</p>',
          clientId: 'c',
          secretIsKnown: true,
        },
      },
    ]);
    expect(browser.requests[0]?.url).toBe(`${base}/connections/conn_1/auth-options`);
    expect(browser.requests[0]?.init).toMatchObject({ headers: { 'x-request-token': 'rt_1' }, credentials: 'omit' });
  });

  it.each([
    [wrong(404, { code: 'connection_deleted' }), 'invalid_token'],
    [wrong(429, { code: 'rate_limited' }), 'network'],
    [new Response('<html>', { status: 404 }), 'network'],
    [wrong(500, null), 'network'],
    [new TypeError('Failed to fetch'), 'network'],
  ] as const)('are not to be had (%#)', async (reply, code) => {
    browser.replies['auth-options'] = reply;
    await expect(custom.authOptions(request)).rejects.toMatchObject({ code });
  });

  it('are asked for with the values of a link alone', async () => {
    await expect(custom.authOptions({ ...request, requestLink: 'javascript:alert(1)' })).rejects.toMatchObject({
      code: 'invalid_token',
    });
    expect(browser.requests).toEqual([]);
  });
});

describe('a form', () => {
  it('connects without a window', async () => {
    const account = { id: '1', label: 'alice@example.com', url: null };
    browser.replies.submit = { status: 'active', authorize_url: null };
    browser.reply = status('active', { app_id: 'brevo', account });
    submit(key);
    await pass(0);
    const success = ['conn_1', { operation: 'creation', appId: 'brevo', account }];
    expect(listeners.onSuccess).toHaveBeenCalledExactlyOnceWith(...success);
    expect(browser.popups).toEqual([]);
    const [sent] = browser.requests;
    expect(sent?.url).toBe(`${base}/connections/conn_1/submit`);
    expect(sent?.init.method).toBe('POST');
    expect(JSON.parse(String(sent?.init.body))).toEqual({
      app_id: 'brevo',
      auth_option_key: 'header',
      fields: { api_key: 'k' },
    });
  });

  it('tells what is wrong by field, and can be sent again', async () => {
    const fields = { api_key: 'API key is required.' };
    browser.replies.submit = wrong(400, { code: 'invalid_request', fields });
    const attempt = submit(key);
    await pass(0);
    const error = { code: 'invalid_fields', message: 'What is wrong', fields };
    expect(listeners.onError).toHaveBeenCalledExactlyOnceWith(error);
    expect(attempt.outcome).toEqual({ type: 'error', error });
    browser.replies.submit = { status: 'active', authorize_url: null };
    browser.reply = status('active');
    submit(key);
    await pass(0);
    expect(listeners.onSuccess).toHaveBeenCalledExactlyOnceWith('conn_1', details('creation'));
  });

  it.each([
    [wrong(404, { code: 'connection_deleted' }), 'invalid_token'],
    [wrong(400, { code: 'invalid_request' }), 'invalid_request'],
    [wrong(409, { code: 'app_not_configured' }), 'invalid_request'],
    [wrong(503, { code: 'upstream_unavailable' }), 'network'],
    [new TypeError('Failed to fetch'), 'network'],
    ['never', 'network'],
  ] as const)('that is not taken says why (%#)', async (reply, code) => {
    browser.replies.submit = reply;
    submit(oauth);
    await pass(31_000);
    expect(listeners.onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code }));
    expect(browser.popup.closed).toBe(true);
    expect(browser.forms).toEqual([]);
  });

  it('for a link that is over tells how that ended', async () => {
    browser.replies.submit = wrong(409, { code: 'connection_not_active' });
    browser.reply = status('rejected');
    submit(key);
    await pass(0);
    expect(listeners.onExit).toHaveBeenCalledExactlyOnceWith('rejected');
  });
});

describe('OAuth', () => {
  it('opens the window in the click, and a form sends it to the provider', async () => {
    browser.replies.submit = toProvider();
    submit(oauth);
    expect(browser.popups.length).toBe(1);
    expect(browser.forms).toEqual([]);
    await pass(0);
    const { name } = browser.popup;
    expect(name).not.toBe('');
    const action = `${base}/authorize/abc?app=gmail&option=oauth`;
    expect(browser.forms).toEqual([{ method: 'post', action, target: name }]);
    expect(browser.popup.sentTo).toBeNull();
    expect(nothingTold()).toBe(true);
    browser.reply = status('active', { app_id: 'gmail' });
    await pass(2000);
    const told = { operation: 'creation', appId: 'gmail', account: null };
    expect(listeners.onSuccess).toHaveBeenCalledExactlyOnceWith('conn_1', told);
    expect(browser.popup.closed).toBe(true);
  });

  it('is told to be blocked', async () => {
    browser.blocksPopups = true;
    submit(oauth);
    await pass(0);
    expect(listeners.onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'popup_blocked' }));
    expect(browser.requests).toEqual([]);
  });

  it('takes this page there on a phone, and resume() tells the result', async () => {
    browser.hasSmallScreen = true;
    browser.replies.submit = toProvider();
    submit(oauth, {}, returning);
    await pass(0);
    expect(browser.popups).toEqual([]);
    expect(browser.forms).toEqual([
      { method: 'post', action: `${base}/authorize/abc?app=gmail&option=oauth`, target: '' },
    ]);
    expect(browser.storage.size).toBe(1);
    expect(JSON.stringify([...browser.storage])).not.toContain('abc');
  });

  it.each(['javascript:alert(1)', 'https://evil.example/platform/v1/authorize/abc', 'data:text/html,x'])(
    'leads nowhere else (%s)',
    async (url) => {
      browser.replies.submit = toProvider(url);
      submit(oauth);
      await pass(0);
      expect(listeners.onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'network' }));
      expect(browser.forms).toEqual([]);
    },
  );

  it('that was closed meanwhile goes nowhere', async () => {
    browser.latency = 1000;
    browser.replies.submit = toProvider();
    const attempt = submit(oauth);
    await pass(500);
    attempt.handle.close();
    await pass(1000);
    expect(listeners.onExit).toHaveBeenCalledExactlyOnceWith('closed');
    expect(browser.forms).toEqual([]);
    expect(resume()).toBeNull();
  });
});
