// Runs the smoke test in every runtime that is supported. One that is missing fails.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { folder } from './support.mjs';

const installed = `${folder}tests/runtimes/node_modules/`;
const platform = `${process.platform}-${process.arch}`;

/** The one file that a pattern of folders leads to; packages for other platforms are not installed. */
function binary(parent, prefix, file) {
  const found = existsSync(`${installed}${parent}`) ? readdirSync(`${installed}${parent}`).filter((name) => name.startsWith(prefix)) : [];
  const path = found.map((name) => `${installed}${parent}${name}/${file}`).find(existsSync);
  if (!path) throw new Error(`${parent}${prefix} is not installed for ${platform}: see tests/runtimes/package.json`);
  return path;
}

const runtimes = [
  ...[18, 20, 22, 24, 26].map((major) => [binary('', `node${major}-`, 'bin/node')]),
  [binary('@oven/', 'bun-', 'bin/bun')],
  [binary('@deno/', '', 'deno'), 'run', '--allow-all', '--quiet'],
];
for (const [path, ...args] of runtimes) {
  execFileSync(path, [...args, 'tests/smoke.mjs'], { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'], timeout: 120_000 });
}
