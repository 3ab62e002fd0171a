// What several tests need: the programs of this repository, and a way to report.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const folder = fileURLToPath(new URL('../', import.meta.url));
const repository = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Builds a program of this repository (which does nothing where it is built) and gives its path. A variable such as
 * SERVICE_BIN names one that is built already.
 */
export function program(crate, name) {
  const built = process.env[`${name.replace('connect-', '').replaceAll('-', '_').toUpperCase()}_BIN`];
  if (built) return built;
  execFileSync('cargo', ['build', '--quiet', '--locked', '-p', crate, '--bin', name], { cwd: repository, stdio: 'inherit' });
  return `${process.env.CARGO_TARGET_DIR ?? `${repository}target`}/debug/${name}`;
}

/** The JavaScript of a page of this repository. */
export function examplesOf(path) {
  const page = readFileSync(`${repository}${path}`, 'utf8');
  return [...page.matchAll(/^```js\n(.*?)^```$/gms)].map((match) => {
    // Errors name the line of the page.
    const lines = page.slice(0, match.index).split('\n').length;
    return '\n'.repeat(lines) + match[1];
  });
}

/** The test runner that an example is for, if any. */
export const runnerOf = (example) => /from '(node:test|vitest)'/.exec(example)?.[1];

/** Starts a program and gives it together with the first line that it prints. */
export async function started(path, args = [], options = {}) {
  const child = spawn(path, args, { stdio: ['pipe', 'pipe', 'inherit'], ...options });
  const lines = createInterface(child.stdout);
  const [line] = await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`${path} ended with ${code}`))),
  ]);
  return { child, line };
}

/** Starts the scripted server, which ends with this process, and gives a function that asks it. */
export async function scriptedServer() {
  const { child, line } = await started(program('connect-tests', 'scripted-server'));
  child.unref();
  child.stdin.unref();
  child.stdout.destroy();
  return asker(line);
}

/** Asks the scripted server at an address. */
export function asker(address) {
  const ask = async (method, path, body) => {
    const response = await fetch(`${address}${path}`, { method, body: body === undefined ? undefined : JSON.stringify(body) });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  };
  return Object.assign(ask, { address });
}
