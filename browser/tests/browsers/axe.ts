import axe from 'axe-core';
import type { Page } from 'puppeteer-core';

/** What axe finds fault with on a page, of what it could check. */
export async function faults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { violations, passes } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
    if (!passes.some(({ id }) => id === 'color-contrast')) return ['nothing was checked'];
    return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html}`));
  });
}
