import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = fileURLToPath(new URL('src/pabbly-connect.ts', import.meta.url));

// Real browsers and real processes, on machines that may be busy.
const timeouts = { testTimeout: 180_000, hookTimeout: 180_000 };

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias: { '@pabbly/connect-browser': source } },
        test: { name: 'unit', include: ['tests/unit/*.test.{ts,tsx}'] },
      },
      {
        test: { name: 'package', include: ['tests/package/*.test.ts'], testTimeout: 60_000 },
      },
      {
        test: { name: 'browsers', include: ['tests/browsers/*.test.ts'], ...timeouts },
      },
      {
        test: { name: 'slow', include: ['tests/slow/*.test.ts'], ...timeouts },
      },
    ],
    maxWorkers: 2,
  },
});
