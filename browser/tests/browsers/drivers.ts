import puppeteer, { type Browser, type BrowserContext, type ElementHandle, type Page } from 'puppeteer-core';

export type BrowserName = 'chromium' | 'firefox';

export interface Device {
  /** A finger is the main pointer; a mouse otherwise. */
  touch?: boolean;
  /** The person prefers dark pages; Chromium alone. */
  dark?: boolean;
}

/** Starts a browser of Debian's, driven by WebDriver BiDi, its popup blocker on. */
export function launch(name: BrowserName, { touch = false, dark = false }: Device = {}): Promise<Browser> {
  if (name === 'firefox') {
    return puppeteer.launch({
      browser: 'firefox',
      executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
      extraPrefsFirefox: {
        'dom.disable_open_during_load': true,
        ...(touch && { 'ui.primaryPointerCapabilities': 1, 'ui.allPointerCapabilities': 1 }),
      },
    });
  }
  return puppeteer.launch({
    browser: 'chrome',
    protocol: 'webDriverBiDi',
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    ignoreDefaultArgs: ['--disable-popup-blocking'],
    args: [
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // Chromium's sandbox does not work for root, which is who runs in a container.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      `--blink-settings=preferredColorScheme=${dark ? 0 : 1}${touch ? ',primaryPointerType=2,availablePointerTypes=2' : ''}`,
    ],
  });
}

/** Asks again and again until the answer is neither false, null nor undefined. */
export async function until<T>(what: string, ask: () => Promise<T> | T, patience = 40_000): Promise<NonNullable<T>> {
  const end = Date.now() + patience;
  for (;;) {
    const answer = await Promise.resolve(ask()).catch(() => null);
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${patience} ms in vain for ${what}`);
    await sleep(50);
  }
}

export const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The page at an address that begins like this, as soon as there is one. */
export async function pageAt(context: BrowserContext, prefix: string): Promise<Page> {
  return until(`a page at ${prefix}`, async () =>
    (await context.pages()).find((page) => !page.isClosed() && page.url().startsWith(prefix)),
  );
}

/** Clicks something as soon as it is there. */
export async function click(page: Page, selector: string): Promise<void> {
  const element: ElementHandle = await until(`${selector} at ${page.url()}`, () => page.$(selector));
  await element.click();
}

/** Taps something with a finger as soon as it is there. */
export async function tap(page: Page, selector: string): Promise<void> {
  const element: ElementHandle = await until(`${selector} at ${page.url()}`, () => page.$(selector));
  await element.tap();
}
