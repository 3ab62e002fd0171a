// Finishes the declarations that tsc wrote: once more for ESM, where Node wants `.mjs` in specifiers, and a word about
// the global that the <script> leaves.
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const folder = new URL('../dist/types/', import.meta.url);
for (const name of readdirSync(folder).filter((name) => name.endsWith('.d.ts'))) {
  const text = readFileSync(new URL(name, folder), 'utf8');
  const esm = text.replaceAll(/(from '\.\/[^']+)\.js'/g, "$1.mjs'");
  writeFileSync(new URL(name.replace('.d.ts', '.d.mts'), folder), esm);
}
appendFileSync(new URL('pabbly-connect.d.ts', folder), 'export as namespace PabblyConnect;\n');
