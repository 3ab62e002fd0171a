// Packs what `npm run build` has built into packages/: the package itself, and one optional package for each platform
// whose native library lies here. `npm run package` does both for the platform that it runs on; a release first
// gathers the libraries of all platforms (see docs/node.md).
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('../', import.meta.url));
const read = (path) => JSON.parse(readFileSync(path, 'utf8'));
const write = (path, value) => writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
const out = `${here}packages/`;
const work = `${out}work/`;
rmSync(out, { recursive: true, force: true });
mkdirSync(work, { recursive: true });

const { name, version, description, keywords, license, engines, type, sideEffects, main, types, exports, typesVersions, files, napi } = read(`${here}package.json`);
const texts = ['LICENSE-APACHE', 'LICENSE-MIT'];

function pack(folder, manifest, readme) {
  write(`${folder}package.json`, manifest);
  writeFileSync(`${folder}README.md`, readme);
  for (const text of texts) copyFileSync(`${here}../${text}`, `${folder}${text}`);
  execFileSync('npm', ['pack', '--pack-destination', out, '--loglevel', 'error'], { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
}

// napi's own tool knows how each platform is named and restricted.
execFileSync('node_modules/.bin/napi', ['create-npm-dirs', '--npm-dir', `${work}npm`], { cwd: here, stdio: 'ignore' });
const optionalDependencies = {};
for (const target of napi.targets) {
  const platform = platformOf(target);
  const library = `${napi.binaryName}.${platform}.node`;
  if (!existsSync(`${here}${library}`)) continue;
  const folder = `${work}npm/${platform}/`;
  copyFileSync(`${here}${library}`, `${folder}${library}`);
  const { os, cpu, libc } = read(`${folder}package.json`);
  const manifest = { name: `${name}-${platform}`, version, description: `${name} for ${platform}.`, license, engines, os, cpu, libc, main: library, files: [library, ...texts] };
  pack(folder, manifest, `# ${manifest.name}\n\nThe native library of \`${name}\` for ${platform}. Install that package; it brings this one.\n`);
  optionalDependencies[manifest.name] = version;
}
if (Object.keys(optionalDependencies).length === 0) throw new Error('there is no native library here: run `npm run build` first');

const folder = `${work}main/`;
cpSync(`${here}dist`, `${folder}dist`, { recursive: true });
pack(
  folder,
  { name, version, description, keywords, license, engines, type, sideEffects, main, types, exports, typesVersions, files: [...files, ...texts], optionalDependencies },
  // The pages that this one links to are not in the package.
  readFileSync(`${here}../docs/node.md`, 'utf8').replace(/\[\w+\.md\]\((\w+\.md)\)/g, "the repository's `docs/$1`"),
);

/** napi's name of a Rust target: x86_64-unknown-linux-gnu is linux-x64-gnu. */
function platformOf(target) {
  const [cpu, , os, abi] = target.split('-');
  const names = { x86_64: 'x64', aarch64: 'arm64', windows: 'win32' };
  return [names[os] ?? os, names[cpu], abi].filter(Boolean).join('-');
}
