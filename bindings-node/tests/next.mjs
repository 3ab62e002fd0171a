// A real Next.js build: with `serverExternalPackages`, as docs/node.md says, it works; without, it fails on the native
// library. Installs Next.js, which takes a while: `make test-all` runs this. Needs `npm run build` first.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { folder } from './support.mjs';

const home = mkdtempSync(join(tmpdir(), 'next-'));
const run = (command, ...args) =>
  execFileSync(command, args, { cwd: home, stdio: 'pipe', encoding: 'utf8', env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' } });

try {
  execFileSync('node', ['scripts/package.mjs'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const packed = readdirSync(`${folder}packages`).filter((name) => name.endsWith('.tgz')).map((name) => `${folder}packages/${name}`);
  cpSync(`${folder}tests/next`, home, { recursive: true });
  cpSync(`${folder}.npmrc`, join(home, '.npmrc'));
  run('npm', 'ci', '--loglevel', 'error');
  run('npm', 'install', '--offline', '--no-save', '--loglevel', 'error', ...packed);

  run('node_modules/.bin/next', 'build');
  // Not by the script in .bin, which would outlive its end in a process of its own.
  const server = spawn('node', ['node_modules/next/dist/bin/next', 'start', '--port', '0'], { cwd: home });
  try {
    let printed = '';
    while (!/http:\/\/localhost:\d+/.test(printed)) printed += (await once(server.stdout, 'data'))[0];
    const response = await fetch(`${printed.match(/http:\/\/localhost:\d+/)[0]}/api/token`);
    assert.deepEqual(await response.json(), { method: 'function' });
  } finally {
    server.kill();
    await once(server, 'exit');
  }

  rmSync(join(home, 'next.config.mjs'));
  assert.throws(
    () => run('node_modules/.bin/next', 'build'),
    ({ stdout, stderr }) => /connect-platform.*\.node/.test(stdout + stderr),
  );
  console.log('  Next.js builds and serves with serverExternalPackages, and needs it');
} finally {
  rmSync(home, { recursive: true });
}
