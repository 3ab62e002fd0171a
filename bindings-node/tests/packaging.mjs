// Packs the package, checks it with publint and arethetypeswrong, installs it into an empty project and uses it there.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { examplesOf, folder, program, runnerOf } from './support.mjs';

const run = (cwd, command, ...args) => execFileSync(command, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' });
const tool = (name, ...args) => execFileSync(`node_modules/.bin/${name}`, args, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });

run(folder, 'node', 'scripts/package.mjs');
const packed = readdirSync(`${folder}packages`).filter((name) => name.endsWith('.tgz')).map((name) => `${folder}packages/${name}`);
assert.equal(packed.length, 2, `the package and that of this platform: ${packed}`);
const main = packed.find((path) => !/-(linux|darwin|win32)-/.test(path));
for (const path of packed) console.log(`  ${path.slice(folder.length)}: ${(statSync(path).size / 1024).toFixed(0)} KiB`);

tool('publint', '--strict', main);
tool('attw', main, '--no-emoji', '--format', 'table-flipped');

const home = mkdtempSync(join(tmpdir(), 'install-'));
try {
  writeFileSync(join(home, 'package.json'), '{ "name": "shop", "private": true }\n');
  run(home, 'npm', 'install', '--offline', '--no-audit', '--no-fund', '--loglevel', 'error', ...packed);
  const installed = join(home, 'node_modules/@pabbly/connect-platform');
  const listed = readdirSync(installed, { recursive: true }).map(String).filter((name) => !name.startsWith('dist')).sort();
  assert.deepEqual(listed, ['LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'package.json']);
  const { dependencies, scripts } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  assert.deepEqual([dependencies, scripts], [undefined, undefined], 'nothing is installed with it, and nothing runs');

  writeFileSync(join(home, 'stub.mjs'), readFileSync(`${folder}tests/stub.mjs`));
  writeFileSync(join(home, 'smoke.mjs'), readFileSync(`${folder}tests/smoke.mjs`));
  console.log(run(home, 'node', 'smoke.mjs').trimEnd());
  writeFileSync(join(home, 'use.cjs'), "console.log(typeof require('@pabbly/connect-platform').PabblyConnectPlatform)\n");
  assert.equal(run(home, 'node', 'use.cjs').trim(), 'function');

  // The tests on the page, with what it tells their readers to use.
  symlinkSync(`${folder}tests/runtimes/node_modules/vitest`, join(home, 'node_modules/vitest'));
  process.env.PC_DEV_BIN = program('connect-service', 'connect-service');
  for (const [runner, ...command] of [['node:test', '--test'], ['vitest', 'node_modules/vitest/vitest.mjs', 'run', '--reporter=verbose']]) {
    const tests = examplesOf('docs/node.md').filter((example) => runnerOf(example) === runner);
    assert.equal(tests.length, 1, `the page shows a test with ${runner}`);
    const file = `${runner.replace(':', '-')}.test.mjs`;
    writeFileSync(join(home, file), tests[0]);
    console.log(run(home, 'node', ...command, file).trimEnd());
  }

  // Without the platform's package the reason is told.
  rmSync(join(home, 'node_modules'), { recursive: true });
  writeFileSync(join(home, 'package.json'), '{ "name": "shop", "private": true }\n');
  rmSync(join(home, 'package-lock.json'));
  run(home, 'npm', 'install', '--offline', '--no-audit', '--no-fund', '--loglevel', 'error', '--omit=optional', main);
  writeFileSync(join(home, 'fail.cjs'), "try { require('@pabbly/connect-platform') } catch (error) { console.log(error.message) }\n");
  assert.match(run(home, 'node', 'fail.cjs'), /no native library for .* optional package/);
} finally {
  rmSync(home, { recursive: true });
}
