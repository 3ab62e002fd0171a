import { beforeEach, describe, expect, it } from 'vitest';
import { request, returning, status } from './fakes.js';
import { browser, connect, library, listeners, pass, started } from './harness.js';

describe('the window', () => {
  it('opens before open() returns, blank, 500 by 700, in the middle of this one', async () => {
    connect();
    expect(browser.popup.sentTo).toBeNull();
    expect(browser.features).toBe('popup,width=500,height=700,left=600,top=150');
    await pass(0);
    expect(browser.popup.sentTo).toBe(request.requestLink);
  });

  it.each([[true], ['with a closed window']] as const)('is known to be blocked (%s)', async (blocked) => {
    browser.blocksPopups = blocked;
    const attempt = connect();
    await pass(0);
    expect(listeners.onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'popup_blocked' }));
    expect(attempt.outcome).toMatchObject({ type: 'error', error: { code: 'popup_blocked' } });
    expect(browser.requests).toEqual([]);
  });

  it('closes at the end, whatever that is', async () => {
    for (const end of ['active', 'rejected', 'expired']) {
      browser.reply = status(end);
      connect();
      await pass(0);
      expect(browser.popup.closed, end).toBe(true);
    }
  });

  it('gives way to the next one, and the attempt before ends as closed', async () => {
    const first = connect();
    await pass(0);
    const firstPopup = browser.popup;
    browser.reply = status('active');
    const second = connect();
    await pass(0);
    expect(firstPopup.closed).toBe(true);
    expect(first.outcome).toEqual({ type: 'exit', reason: 'closed' });
    expect(second.outcome).toMatchObject({ type: 'success' });
    expect(browser.storage.size).toBe(0);
  });
});

describe('a phone', () => {
  beforeEach(() => {
    browser.hasSmallScreen = true;
  });

  it.each([
    ['has no return_url', () => request],
    ['says something else', () => ({ ...request, requestLink: `${request.requestLink}?has_return_url=` })],
    ['is a promise', () => Promise.resolve(returning)],
    ['is a function', () => () => returning],
    ['is still a response', () => Response.json(returning)],
  ])('opens a tab and stays where the link %s', async (_, source) => {
    started(library.open(source(), listeners));
    expect(browser.popups.length).toBe(1);
    expect(browser.features).toBe('');
    await pass(0);
    expect(browser.popup.sentTo).toContain(request.requestLink);
    expect(browser.leftFor).toBeNull();
  });

  it.each([
    ["the guide's", returning],
    ["the API's", { request_link: returning.requestLink, request_token: 'rt_1', connection_id: 'conn_1' }],
  ])('goes to a link with a return_url itself, in %s spelling', async (_, values) => {
    started(library.open(values, listeners));
    await pass(0);
    expect(browser.popups).toEqual([]);
    expect(browser.leftFor).toBe(returning.requestLink);
  });

  it('opens a window in a frame, and where the page wants one', async () => {
    browser.isFramed = true;
    connect(returning);
    browser.isFramed = false;
    connect({ ...returning, display: 'popup' });
    await pass(0);
    expect(browser.popups.length).toBe(2);
    expect(browser.leftFor).toBeNull();
  });

  it('goes itself where the page wants that, whatever the link', async () => {
    started(library.open(async () => request, { ...listeners, display: 'redirect' }));
    await pass(0);
    expect(browser.popups).toEqual([]);
    expect(browser.leftFor).toBe(request.requestLink);
  });
});

it('opens a popup on a big screen, also with a return_url', async () => {
  connect(returning);
  await pass(0);
  expect(browser.popup.sentTo).toBe(returning.requestLink);
  expect(browser.leftFor).toBeNull();
});

describe('the values', () => {
  const values = { request_link: request.requestLink, request_token: 'rt_1', connection_id: 'conn_1' };

  it.each([
    ['a promise', () => Promise.resolve(request)],
    ["a promise of the API's spelling", () => Promise.resolve(values)],
    ['a function', () => () => request],
    ['a function that fetches', () => () => Promise.resolve(Response.json(values))],
  ])('may come as %s', async (_, source) => {
    browser.reply = status('active');
    const attempt = started(library.open(source(), listeners));
    expect(browser.popups.length).toBe(1);
    await pass(0);
    expect(browser.popup.sentTo).toBe(request.requestLink);
    expect(attempt.outcome).toMatchObject({ type: 'success', connectionId: 'conn_1' });
  });

  it.each([
    ['the promise is rejected', () => Promise.reject(new Error('offline'))],
    [
      'the function throws',
      () => () => {
        throw new Error('no session');
      },
    ],
    ['the answer is an error', () => () => Promise.resolve(new Response('{}', { status: 500 }))],
    ['the answer is no JSON', () => Promise.resolve(new Response('<html>'))],
    ['there is no answer', () => Promise.resolve(null as never)],
  ])('end with the window and onError network when %s', async (_, source) => {
    started(library.open(source(), listeners));
    await pass(0);
    expect(browser.popup.closed).toBe(true);
    expect(browser.popup.sentTo).toBeNull();
    expect(listeners.onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'network' }));
    expect(listeners.onError.mock.lastCall?.[0].cause).toBeInstanceOf(Error);
  });

  it.each([
    ['a script', { requestLink: 'javascript:alert(1)' }],
    ['a script in disguise', { requestLink: 'javascript://connect.example/%0Aalert(1)' }],
    ['no address', { requestLink: 'connect' }],
    ['no token', { requestToken: '' }],
    ['no id', { connectionId: undefined }],
  ])('are refused with %s', async (_, wrong) => {
    started(library.open({ ...request, ...wrong } as typeof request, listeners));
    await pass(0);
    expect(listeners.onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'invalid_token' }));
    expect(browser.popup).toMatchObject({ closed: true, sentTo: null });
  });

  it('are of no use any more when the blank window was closed', async () => {
    started(
      library.open(async () => {
        await new Promise((done) => setTimeout(done, 3000));
        return request;
      }, listeners),
    );
    await pass(1000);
    browser.popup.close();
    await pass(2000);
    expect(listeners.onExit).toHaveBeenCalledExactlyOnceWith('closed');
    expect(browser.popup.sentTo).toBeNull();
    expect(browser.requests).toEqual([]);
  });
});
