import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const browser = new URL('../../', import.meta.url);

it("compiles the documentation's examples against the installed package", () => {
  const page = (name: string) => readFileSync(new URL(`../docs/${name}`, browser), 'utf8');
  const text = page('browser.md') + page('custom-ui.md');
  const examples = [...text.matchAll(/^```(tsx?)\n(.*?)^```$/gms)];
  expect(examples.length).toBeGreaterThan(4);

  const folder = new URL('tests/consumer/node_modules/.docs/', browser);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const files = examples.map(([, kind, code = ''], index) => {
    const file = fileURLToPath(new URL(`${index + 1}.${kind}`, folder));
    writeFileSync(file, `${code}export {};\n`);
    return file;
  });
  const options = ['--noEmit', '--strict', '--jsx', 'react-jsx', '--module', 'nodenext', '--target', 'es2022'];
  const tsc = fileURLToPath(new URL('node_modules/.bin/tsc', browser));
  execFileSync(tsc, [...options, '--types', '', '--ignoreConfig', ...files], { encoding: 'utf8' });
});
