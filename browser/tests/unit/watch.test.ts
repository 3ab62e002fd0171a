import { describe, expect, it } from 'vitest';
import { details, pending, request, status } from './fakes.js';
import { browser, connect, library, listeners, nothingTold, pass, started } from './harness.js';

describe('the question', () => {
  it('goes to the address that the link implies, with the token in a header and nothing secret in the address', async () => {
    started(library.open({ ...request, connectionId: 'a/b?c' }));
    await pass(0);
    const [{ url, init }] = browser.requests as [(typeof browser.requests)[0]];
    expect(url).toBe('https://connect.example/platform/v1/connections/a%2Fb%3Fc/status');
    expect(init).toMatchObject({
      headers: { 'x-request-token': 'rt_1' },
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
    });
  });

  it('is asked every two seconds once a long poll was not held back', async () => {
    connect();
    await pass(10_000);
    expect(browser.requests.length).toBe(7);
  });

  it('is a long poll from the second one on, where the platform does that', async () => {
    browser.longPolls = true;
    connect();
    await pass(60_000);
    const prefers = browser.requests.map(({ init }) => new Headers(init.headers).get('prefer'));
    expect(prefers).toEqual([null, 'wait=25', 'wait=25', 'wait=25']);
    browser.reply = status('active');
    await pass(100);
    expect(listeners.onSuccess).toHaveBeenCalledOnce();
  });

  it('follows at once where something happened, and the outcome follows the change by one response', async () => {
    browser.longPolls = true;
    for (const [since, happens] of [
      [50, false],
      [300, false],
      [1900, false],
      [12_000, false],
      [300, true],
      [1900, true],
    ] as const) {
      browser.reply = pending();
      const { handle } = connect();
      await pass(happens ? 5000 : 0);
      if (happens) browser.window.dispatchEvent(new Event('focus'));
      await pass(since);
      const before = browser.requests.length;
      browser.reply = status('active');
      await pass(150);
      expect(listeners.onSuccess, `${since} ms after ${happens ? 'the focus' : 'the click'}`).toHaveBeenCalledOnce();
      expect(browser.requests.length).toBe(before);
      listeners.onSuccess.mockClear();
      handle.close();
    }
  });

  it('is no long poll where the platform answers it at once', async () => {
    browser.reply = Response.json({ data: pending() }, { headers: { 'preference-applied': 'wait=25' } });
    connect();
    await pass(10_000);
    expect(browser.requests.length).toBe(7);
  });

  it('is no long poll any more where a page may not send Prefer', async () => {
    browser.allowsPrefer = false;
    connect();
    await pass(20_000);
    const prefers = browser.requests.map(({ init }) => new Headers(init.headers).get('prefer'));
    expect(prefers.slice(0, 4)).toEqual([null, 'wait=25', null, null]);
    browser.reply = status('active');
    await pass(2000);
    expect(listeners.onSuccess).toHaveBeenCalledOnce();
  });

  it('interrupts a long poll when the window is closed, and asks at once', async () => {
    browser.longPolls = true;
    connect();
    browser.popup.arrive();
    await pass(10_000);
    const before = browser.requests.length;
    browser.popup.close();
    await pass(350);
    expect(listeners.onExit).toHaveBeenCalledExactlyOnceWith('closed');
    expect(browser.requests.length).toBe(before + 1);
  });

  it('goes on with long polls after one was interrupted', async () => {
    browser.longPolls = true;
    connect();
    await pass(10_000);
    browser.window.dispatchEvent(new Event('focus'));
    await pass(10_000);
    const prefers = browser.requests.map(({ init }) => new Headers(init.headers).get('prefer'));
    expect(prefers).toEqual([null, 'wait=25', null, 'wait=25']);
  });

  it.each([
    ['focus', () => browser.window.dispatchEvent(new Event('focus'))],
    ['online', () => browser.window.dispatchEvent(new Event('online'))],
    ['visibilitychange', () => browser.document.dispatchEvent(new Event('visibilitychange'))],
  ])('is asked on %s', async (_, happen) => {
    connect();
    await pass(100);
    const before = browser.requests.length;
    happen();
    await pass(0);
    expect(browser.requests.length).toBe(before + 1);
  });

  it('waits as long as Retry-After says, whatever happens meanwhile', async () => {
    browser.reply = new Response('{}', { status: 429, headers: { 'retry-after': '7' } });
    connect();
    await pass(1000);
    browser.window.dispatchEvent(new Event('focus'));
    await pass(5999);
    expect(browser.requests.length).toBe(1);
    await pass(1);
    expect(browser.requests.length).toBe(2);
  });

  it('is asked again at once if something happened while the answer was on its way', async () => {
    browser.latency = 500;
    connect();
    await pass(100);
    browser.window.dispatchEvent(new Event('focus'));
    await pass(400);
    expect(browser.requests.length).toBe(2);
  });

  it('waits a while where a busy platform does not say how long', async () => {
    browser.reply = new Response('{}', { status: 429 });
    connect();
    await pass(9999);
    expect(browser.requests.length).toBe(1);
    await pass(1);
    expect(browser.requests.length).toBe(2);
  });

  it('is asked as before once there is an answer again', async () => {
    browser.reply = new Response('', { status: 503 });
    connect();
    await pass(12_000);
    browser.reply = pending();
    await pass(16_000);
    const before = browser.requests.length;
    await pass(2000);
    expect(browser.requests.length).toBe(before + 1);
  });

  it('is asked more and more seldom while nothing answers, then the platform is out of reach', async () => {
    browser.reply = new TypeError('Failed to fetch');
    connect();
    await pass(0);
    for (const wait of [4, 8, 16, 30, 30, 30, 30, 30, 30]) {
      const before = browser.requests.length;
      await pass(wait * 1000 - 1);
      expect([browser.requests.length, nothingTold()]).toEqual([before, true]);
      await pass(1);
      expect(browser.requests.length).toBe(before + 1);
    }
    expect(listeners.onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'network' }));
  });

  it.each([
    ['a 503', new Response('', { status: 503 })],
    ['a page instead of JSON', new Response('<html>')],
    ["a proxy's 404", new Response('<html>Not Found</html>', { status: 404 })],
    ["a gateway's 404", Response.json({ message: 'no Route matched' }, { status: 404 })],
    ["a proxy's 407", new Response('<html>Log in</html>', { status: 407 })],
    ["a proxy's 431", new Response('', { status: 431 })],
    ['an empty envelope', Response.json({ data: null })],
    ['no answer for ten seconds', 'never' as const],
  ])('survives %s', async (_, reply) => {
    browser.reply = reply;
    connect();
    await pass(5_000);
    browser.reply = status('active');
    await pass(9_000);
    expect(listeners.onSuccess).toHaveBeenCalledOnce();
  });

  it('is given up when the platform does not know the link', async () => {
    const gone = { status: 'error', message: 'Unknown', data: { code: 'connection_deleted' } };
    browser.reply = Response.json(gone, { status: 404 });
    connect();
    await pass(0);
    expect(listeners.onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'invalid_token' }));
  });

  it('is not asked after the end', async () => {
    const { handle } = connect();
    await pass(1000);
    handle.close();
    const before = browser.requests.length;
    browser.window.dispatchEvent(new Event('focus'));
    await pass(60_000);
    expect(browser.requests.length).toBe(before);
  });
});

describe('the outcome', () => {
  it('is a success, told once', async () => {
    const attempt = connect();
    await pass(2000);
    browser.reply = status('active', { operation: 'reauth' });
    await pass(60_000);
    expect(listeners.onSuccess).toHaveBeenCalledExactlyOnceWith('conn_1', details('reauth'));
    expect(attempt.outcome).toEqual({ type: 'success', connectionId: 'conn_1', ...details('reauth') });
    attempt.handle.close();
    await pass(0);
    expect([listeners.onExit, listeners.onError].flatMap((listener) => listener.mock.calls)).toEqual([]);
  });

  it.each(['rejected', 'expired'] as const)('is %s', async (reason) => {
    browser.reply = status(reason);
    const attempt = connect();
    await pass(0);
    expect(listeners.onExit).toHaveBeenCalledExactlyOnceWith(reason);
    expect(attempt.outcome).toEqual({ type: 'exit', reason });
  });

  it('is a timeout when the link has expired and the platform cannot say how it ended', async () => {
    browser.reply = pending({ expires_in: 20 });
    connect();
    await pass(0);
    browser.reply = new Response('', { status: 503 });
    await pass(29_999);
    expect(nothingTold()).toBe(true);
    await pass(1);
    expect(listeners.onExit).toHaveBeenCalledExactlyOnceWith('timeout');
  });

  it("asks again if the link's time ran out during a request", async () => {
    browser.reply = pending({ expires_in: 10 });
    connect();
    await pass(100);
    // As in a frozen page: a request that began before the end is given up after it.
    browser.reply = 'never';
    await pass(29_000);
    expect(nothingTold()).toBe(true);
    browser.reply = status('active');
    await pass(2000);
    expect(listeners.onSuccess).toHaveBeenCalledExactlyOnceWith('conn_1', details('creation'));
  });

  it('is a timeout when a link that should have expired stays pending', async () => {
    browser.reply = pending({ expires_in: 0 });
    connect();
    await pass(9_999);
    expect(nothingTold()).toBe(true);
    await pass(1);
    expect(listeners.onExit).toHaveBeenCalledExactlyOnceWith('timeout');
  });

  it('does not wait for days because a Retry-After says so', async () => {
    browser.reply = pending({ expires_in: 20 });
    connect();
    await pass(0);
    browser.reply = new Response('', { status: 429, headers: { 'retry-after': '86400' } });
    await pass(32_000);
    expect(listeners.onExit).toHaveBeenCalledExactlyOnceWith('timeout');
    expect(browser.requests.length).toBe(4);
  });

  it('is closed by close()', async () => {
    const { handle } = connect();
    handle.close();
    await pass(0);
    expect(listeners.onExit).toHaveBeenCalledExactlyOnceWith('closed');
    expect(browser.popup).toMatchObject({ closed: true, sentTo: null });
  });

  it('reaches the console where nobody listens to errors', async () => {
    browser.blocksPopups = true;
    started(library.open(request));
    await pass(0);
    expect(browser.console).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'popup_blocked' }));
  });
});

describe('a closed window', () => {
  async function close(reply: ReturnType<typeof pending>) {
    connect();
    await pass(600);
    browser.reply = reply;
    browser.popup.close();
    await pass(250);
  }

  it('is the end while the customer was on the hosted page', async () => {
    browser.popups.length = 0;
    connect();
    browser.popup.arrive();
    await pass(1000);
    browser.popup.close();
    await pass(250);
    expect(listeners.onExit).toHaveBeenCalledExactlyOnceWith('closed');
  });

  it('is the end before the hosted page came', async () => {
    await close(pending({ phase: 'created' }));
    expect(listeners.onExit).toHaveBeenCalledExactlyOnceWith('closed');
  });

  it('may not be closed where it was cut off from this page as the hosted page came', async () => {
    await close(pending({ phase: 'form' }));
    await pass(60_000);
    expect(nothingTold()).toBe(true);
    browser.reply = status('active');
    await pass(2000);
    expect(listeners.onSuccess).toHaveBeenCalledOnce();
  });

  it('may not be closed either where it was only just cut off', async () => {
    connect();
    browser.popup.arrive(); // For a moment it is elsewhere, and not closed yet.
    await pass(250);
    browser.popup.close();
    await pass(60_000);
    expect(nothingTold()).toBe(true);
  });

  it('says nothing about answers that are older', async () => {
    connect();
    browser.popup.arrive();
    await pass(1000);
    browser.latency = 1000;
    browser.window.dispatchEvent(new Event('focus'));
    await pass(100);
    browser.popup.close(); // Cut off by the provider, while the answer `form` is on its way.
    browser.reply = pending({ phase: 'at_provider' });
    await pass(60_000);
    expect(nothingTold()).toBe(true);
  });

  it.each(['at_provider', 'returned'])('says nothing in the phase %s', async (phase) => {
    connect();
    browser.popup.arrive();
    await pass(1000);
    browser.reply = pending({ phase });
    browser.popup.close();
    const before = browser.requests.length;
    await pass(120_000);
    expect(nothingTold()).toBe(true);
    expect(browser.requests.length - before, 'questions in two minutes').toBeLessThan(62);
    browser.reply = status('expired');
    await pass(2000);
    expect(listeners.onExit).toHaveBeenCalledExactlyOnceWith('expired');
  });

  it('does not hide a success', async () => {
    connect();
    browser.popup.arrive();
    await pass(1000);
    browser.reply = status('active');
    browser.popup.close();
    await pass(250);
    expect(listeners.onSuccess).toHaveBeenCalledOnce();
  });
});

describe('a message', () => {
  it('from the popup is a reason to ask, and nothing else', async () => {
    connect();
    await pass(100);
    const before = browser.requests.length;
    browser.message({ connection_id: 'conn_1', status: 'active' });
    await pass(0);
    expect(browser.requests.length).toBe(before + 1);
    expect(nothingTold()).toBe(true);
  });

  it.each([
    ['another origin', { connection_id: 'conn_1' }, { origin: 'https://evil.example' }],
    ['another window', { connection_id: 'conn_1' }, { source: {} }],
    ['another connection', { connection_id: 'conn_2' }, {}],
    ['nobody', null, {}],
  ])('of %s is not even that', async (_, data, from) => {
    connect();
    await pass(100);
    const before = browser.requests.length;
    browser.message(data, from);
    await pass(0);
    expect(browser.requests.length).toBe(before);
  });
});
