// Packs the package and installs it beside its own dependencies, so that tests import what users would.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const modules = fileURLToPath(new URL('../node_modules/', import.meta.url));
const target = `${modules}@pabbly/connect-browser`;

const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', modules], { cwd: `${modules}..` });
const [{ filename }] = JSON.parse(packed);
rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
execFileSync('tar', ['-xzf', modules + filename, '-C', target, '--strip-components=1']);
