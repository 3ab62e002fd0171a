import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BrowserName, click, launch, pageAt, until } from './drivers.js';
import { StandIn } from './stand-in.js';

let folder: string;
let standIn: StandIn;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'connect-react-'));
  await build({
    root: fileURLToPath(new URL('../consumer', import.meta.url)),
    configFile: false,
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true },
  });
  standIn = await StandIn.start();
  standIn.product.folder = folder;
});

afterAll(async () => {
  await standIn?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe.each<BrowserName>(['chromium', 'firefox'])('a React app that Vite built, in %s', (name) => {
  it('connects by a button, and resumes after a reload', async () => {
    const link = standIn.reset();
    const browser = await launch(name);
    try {
      const context = await browser.createBrowserContext();
      const page = await context.newPage();
      const news = (text: string) => until(text, () => page.evaluate(() => document.querySelector('li')?.textContent));
      await page.goto(`${standIn.product.url}/index.html`);
      await click(page, '#connect');
      const popup = await pageAt(context, standIn.hostedPage);
      await until('the button to be busy', () => page.$('#connect[aria-busy="true"]'));
      await click(popup, '#decline');
      expect(await news('the refusal')).toBe('no connection: rejected');
      await until('the button to be idle', () => page.$('#connect[aria-busy="false"]'));

      Object.assign(link, { status: 'pending', phase: 'created' });
      await click(page, '#connect');
      await click(await pageAt(context, standIn.hostedPage), '#continue');
      const consent = await pageAt(context, standIn.providerUrl);
      await page.reload();
      await until('the hook to resume', () => page.$('#resumed'));
      await click(consent, '#approve');
      expect(await news('the success')).toBe(`connected ${link.connectionId}`);
    } finally {
      await browser.close();
    }
  });
});
