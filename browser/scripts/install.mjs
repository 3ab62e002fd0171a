// Packs the package and installs it in tests/consumer, so that tests import what users would.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const modules = `${root}tests/consumer/node_modules/`;
const target = `${modules}@pabbly/connect-browser`;

rmSync(modules, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', modules], { cwd: root });
const [{ filename }] = JSON.parse(packed);
execFileSync('tar', ['-xzf', modules + filename, '-C', target, '--strip-components=1']);
