import { describe, expect, it, vi } from 'vitest';
import type { ConnectEvent } from '../../src/types.js';
import { pending, request, returning, status } from './fakes.js';
import { browser, connect, custom, library, listeners, newPage, pass, resume, started } from './harness.js';

const refused = { code: 'provider_refused', message: 'The provider sent the customer back with an error' };

/** What was told, in order, the end included. */
function teller() {
  const told: unknown[] = [];
  return {
    told,
    onEvent: ({ type, ...more }: ConnectEvent) => void told.push('error' in more ? [type, more.error] : type),
    onSuccess: () => void told.push('success'),
    onExit: (reason: string) => void told.push(reason),
  };
}

describe('onEvent', () => {
  it('tells each step once, in order, and none after the end', async () => {
    browser.longPolls = true;
    browser.reply = pending({ phase: 'created' });
    const { told, ...callbacks } = teller();
    connect(callbacks);
    await pass(0);
    expect(told).toEqual(['opened']);
    // The customer goes back and forth.
    for (const phase of ['form', 'at_provider', 'form', 'at_provider', 'returned']) {
      await pass(300);
      browser.reply = pending({ phase });
    }
    await pass(300);
    browser.reply = status('active', { phase: 'returned' });
    await pass(300);
    browser.reply = pending({ phase: 'returned', last_error: refused });
    await pass(60_000);
    expect(told).toEqual(['opened', 'form', 'at_provider', 'returned', 'success']);
  });

  it('tells the last step before the end where both come at once', async () => {
    browser.reply = status('rejected', { phase: 'returned', last_error: { code: 'access_denied', message: 'm' } });
    const { told, ...callbacks } = teller();
    connect(callbacks);
    await pass(0);
    // Why it ended is told by the reason.
    expect(told).toEqual(['opened', 'returned', 'rejected']);
  });

  it('tells a failure once for each reason while the link stays open', async () => {
    browser.longPolls = true;
    const { told, ...callbacks } = teller();
    connect(callbacks);
    await pass(0);
    const other = { code: 'client_refused', message: 'The provider did not accept the OAuth client of this app' };
    for (const last_error of [refused, refused, other]) {
      browser.reply = pending({ phase: 'returned', last_error });
      await pass(3000);
      browser.reply = pending({ phase: 'at_provider', last_error });
      await pass(3000);
    }
    browser.reply = status('active', { phase: 'returned', last_error: null });
    await pass(3000);
    expect(told).toEqual(['opened', 'form', 'returned', ['error', refused], ['error', other], 'success']);
  });

  it("cannot disturb the attempt by an error of the caller's own", async () => {
    const thrown: unknown[] = [];
    const queue = globalThis.queueMicrotask;
    vi.stubGlobal('queueMicrotask', (task: () => void) =>
      queue(() => {
        try {
          task();
        } catch (error) {
          thrown.push(error);
        }
      }),
    );
    connect({
      onEvent: () => {
        throw new Error("the caller's own");
      },
    });
    await pass(1000);
    browser.reply = status('active');
    await pass(2000);
    expect(listeners.onSuccess).toHaveBeenCalledOnce();
    expect(thrown.length).toBe(2);
  });

  it('is told nothing by a platform that knows more steps than this version', async () => {
    browser.reply = pending({ phase: 'thinking' });
    const { told, ...callbacks } = teller();
    connect(callbacks);
    await pass(5000);
    expect(told).toEqual(['opened']);
  });

  it('goes on where a redirect came back', async () => {
    browser.hasSmallScreen = true;
    const { told, ...callbacks } = teller();
    started(library.open({ ...returning, ...callbacks }));
    await pass(0);
    expect(told).toEqual(['opened']);
    await newPage();
    browser.reply = pending({ phase: 'returned', last_error: refused });
    resume(callbacks);
    await pass(0);
    expect(told).toEqual(['opened', 'returned', ['error', refused]]);
  });

  it('is for a form of your own as well, whose window opens for OAuth alone', async () => {
    for (const [type, steps] of [
      ['header', ['returned', 'success']],
      ['o_auth', ['opened', 'at_provider']],
    ] as const) {
      const { told, ...callbacks } = teller();
      const authorize_url = type === 'o_auth' ? 'https://connect.example/platform/v1/authorize/x' : null;
      browser.replies.submit = { status: 'pending', authorize_url };
      browser.reply = type === 'o_auth' ? pending({ phase: 'at_provider' }) : status('active', { phase: 'returned' });
      started(custom.submit(request, { authOptionKey: type, type }, callbacks));
      await pass(0);
      expect(told).toEqual(steps);
    }
  });
});
