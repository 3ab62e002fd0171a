import { beforeEach, describe, expect, it, vi } from 'vitest';
import { details, pending, request, returning, status } from './fakes.js';
import { browser, connect, library, listeners, newPage, nothingTold, pass, resume, started } from './harness.js';

describe('a phone, where the link has a return_url', () => {
  beforeEach(() => {
    browser.hasSmallScreen = true;
  });

  it('goes to the hosted page and back, and resume() tells the result', async () => {
    connect(returning);
    await pass(0);
    expect(browser.leftFor).toBe(returning.requestLink);
    expect(browser.popups).toEqual([]);
    expect([...browser.storage.values()].join()).not.toContain(returning.requestLink);

    await newPage();
    browser.reply = status('active');
    await pass(5_000);
    expect(nothingTold(), 'before resume()').toBe(true);
    resume(listeners);
    await pass(0);
    expect(listeners.onSuccess).toHaveBeenCalledExactlyOnceWith('conn_1', details('creation'));
    expect(browser.storage.size).toBe(0);
    expect(resume(listeners)).toBeNull();
  });

  it('keeps a result for a page that is reloaded before it is told', async () => {
    connect(returning);
    await pass(0);
    browser.reply = 'never';
    await newPage();
    resume();
    await pass(100);
    browser.reply = status('active');
    await newPage();
    resume(listeners);
    await pass(0);
    expect(listeners.onSuccess).toHaveBeenCalledOnce();
  });

  it.each([
    ['form', 'closed'],
    ['created', 'closed'],
  ])('that came back in the phase %s is %s', async (phase, reason) => {
    connect(returning);
    await pass(0);
    browser.reply = pending({ phase });
    await newPage();
    resume(listeners);
    await pass(0);
    expect(listeners.onExit).toHaveBeenCalledExactlyOnceWith(reason);
  });

  it('goes on in the same page if the back button brings it to life again', async () => {
    connect(returning);
    await pass(0);
    browser.window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: false }));
    await pass(0);
    expect(browser.requests).toEqual([]);
    browser.window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
    await pass(0);
    expect(listeners.onExit).toHaveBeenCalledExactlyOnceWith('closed');
  });

  it('asks no more often if the back button does so twice', async () => {
    browser.reply = pending({ phase: 'at_provider' });
    connect(returning);
    await pass(0);
    for (let time = 0; time < 2; time++) {
      browser.window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
      await pass(2000);
    }
    expect(browser.requests.length).toBe(4);
  });

  it('stays where it is if the attempt ends before there is a link', async () => {
    const slowly = () => new Promise<typeof request>((done) => setTimeout(done, 1000, request));
    started(library.open(slowly, { ...listeners, display: 'redirect' })).handle.close();
    await pass(1000);
    expect(browser.leftFor).toBeNull();
    expect(browser.storage.size).toBe(0);
  });

  it('leaves a later attempt of the same tab alone', async () => {
    connect(returning);
    await pass(0);
    const [[key, value]] = [...browser.storage] as [[string, string]];
    const later = JSON.stringify({ ...JSON.parse(value), nonce: 'later' });
    browser.storage.set(key, later);
    browser.window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
    await pass(0);
    expect(listeners.onExit).toHaveBeenCalledOnce();
    expect([...browser.storage.values()]).toEqual([later]);
  });

  it('works without storage', async () => {
    vi.stubGlobal('sessionStorage', undefined);
    connect(returning);
    await pass(0);
    expect(browser.leftFor).toBe(returning.requestLink);
    await newPage();
    expect(resume(listeners)).toBeNull();
  });
});

describe('resume()', () => {
  it('has nothing to do on a page that is watching', async () => {
    connect();
    await pass(0);
    expect(browser.storage.size).toBe(1);
    expect(resume(listeners)).toBeNull();
  });

  it('goes on after a reload in the middle, its popup out of sight', async () => {
    connect();
    await pass(0);
    await newPage();
    resume(listeners);
    await pass(60_000);
    expect(nothingTold()).toBe(true);
    browser.reply = status('rejected');
    await pass(2000);
    expect(listeners.onExit).toHaveBeenCalledExactlyOnceWith('rejected');
  });

  it('is not disturbed by what an earlier attempt left, nor by nonsense', async () => {
    browser.storage.set('pabbly-connect', '{"nonce":');
    expect(resume(listeners)).toBeNull();
    browser.blocksPopups = true;
    browser.storage.set('pabbly-connect', '{"nonce":"old"}');
    connect();
    expect(browser.storage.size).toBe(0);
  });
});
