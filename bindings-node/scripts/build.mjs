// Builds dist/ and the native library for this platform: `npm run build`, or with `--debug` quickly and unoptimised.
// `--target TRIPLE` builds the native library for another platform; it goes to napi, like all other options.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('../', import.meta.url));
const { version } = JSON.parse(readFileSync(`${here}package.json`, 'utf8'));
const run = (tool, ...args) => execFileSync(`node_modules/.bin/${tool}`, args, { cwd: here, stdio: 'inherit' });

rmSync(`${here}dist`, { recursive: true, force: true });
mkdirSync(`${here}dist`);

const passed = process.argv.slice(2).filter((argument) => argument !== '--debug');
const profile = process.argv.includes('--debug') ? [] : ['--release'];
run('napi', 'build', '--platform', '--no-js', '--dts', 'dist/native.d.ts', '--no-dts-header', ...profile, ...passed, '--', '--locked');
execFileSync('node', ['scripts/generate.mjs'], { cwd: here, stdio: 'inherit' });
rmSync(`${here}dist/native.d.ts`);

const common = { absWorkingDir: here, bundle: true, target: 'node18', define: { SDK_VERSION: JSON.stringify(version) } };
await build({ ...common, entryPoints: ['ts/index.ts'], outfile: 'dist/index.cjs', platform: 'node', format: 'cjs', external: ['@pabbly/*'] });
await build({ ...common, entryPoints: ['ts/browser.ts'], outfile: 'dist/browser.cjs', format: 'cjs' });
await build({ ...common, entryPoints: ['ts/browser.ts'], outfile: 'dist/browser.mjs', format: 'esm' });
run('tsc', '--project', 'tsconfig.json');

// The ES module is a window onto the CommonJS one, so that a process has one of everything, however it is loaded.
const names = Object.keys(createRequire(import.meta.url)(`${here}dist/index.cjs`)).sort();
writeFileSync(`${here}dist/index.mjs`, `import sdk from './index.cjs';\n\nexport const {\n${names.map((name) => `  ${name},\n`).join('')}} = sdk;\n`);
writeFileSync(`${here}dist/index.d.mts`, "export * from './types/index.js';\n");
