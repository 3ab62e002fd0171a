import { afterEach, beforeEach, expect, vi } from 'vitest';
import type { ConnectHandle, ConnectOptions, ConnectOutcome, ConnectRequest } from '../../src/types.js';
import { FakeBrowser, request } from './fakes.js';

type Library = typeof import('../../src/pabbly-connect.js');
type Custom = typeof import('../../src/custom.js');

/** The browser of the current test, and the library as its page has loaded it. */
export let browser: FakeBrowser;
export let library: Library;
export let custom: Custom;
let handles: ConnectHandle[] = [];

export const listeners = { onSuccess: vi.fn(), onExit: vi.fn(), onError: vi.fn() };

beforeEach(async () => {
  vi.useFakeTimers();
  browser = new FakeBrowser();
  await load();
});

afterEach(async () => {
  for (const handle of handles) handle.close();
  await pass(0);
  expect(vi.getTimerCount(), 'timers left behind').toBe(0);
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.clearAllMocks();
});

async function load() {
  vi.resetModules();
  library = await import('../../src/pabbly-connect.js');
  custom = await import('../../src/custom.js');
  handles = [];
}

/** Goes to another page, or the same one again, in the same tab: nothing stays but the storage. */
export async function newPage(): Promise<void> {
  vi.clearAllTimers();
  const { storage, reply, hasSmallScreen } = browser;
  browser = Object.assign(new FakeBrowser(), { storage, reply, hasSmallScreen });
  await load();
}

/** `PabblyConnect.open` as in the guide. */
export function connect(options: Partial<ConnectRequest & ConnectOptions> = {}) {
  return started(library.open({ ...request, ...listeners, ...options }));
}

/** `PabblyConnect.resume`. */
export function resume(options?: ConnectOptions): ConnectHandle | null {
  const handle = library.resume(options);
  return handle && started(handle).handle;
}

/** A handle that ends with its test, and what is known of its outcome so far. */
export function started(handle: ConnectHandle) {
  handles.push(handle);
  const attempt = { handle, outcome: null as ConnectOutcome | null };
  void handle.outcome.then((outcome) => {
    attempt.outcome = outcome;
  });
  return attempt;
}

export const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

export const nothingTold = () => Object.values(listeners).every((listener) => listener.mock.calls.length === 0);
