// Runs every example of docs/node.md against the real service: the quickstart once for each way that it can go, and the
// others one after the other with what they leave undefined. Then the README's, both ways.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { PabblyConnectPlatform } from '@pabbly/connect-platform';
import { folder } from './support.mjs';
import { stage } from './stage.mjs';

/** The JavaScript of a page. */
function examplesOf(path) {
  const page = readFileSync(`${folder}../${path}`, 'utf8');
  return [...page.matchAll(/^```js\n(.*?)^```$/gms)].map((match) => {
    // Errors name the line of the page.
    const lines = page.slice(0, match.index).split('\n').length;
    return '\n'.repeat(lines) + match[1];
  });
}

const examples = examplesOf('docs/node.md');
const [quickstart, ...others] = examples;
assert.ok(examples.length >= 12 && quickstart.includes('NeedsReconnectionError'), 'the page has its examples');
const readme = examplesOf('README.md');
assert.equal(readme.length, 1, 'the README has one example in JavaScript');

const home = `${folder}tests/.examples/`;
mkdirSync(home, { recursive: true });
let number = 0;
async function run(code, globals) {
  const file = `${home}node.md.${(number += 1)}.mjs`;
  writeFileSync(file, code);
  Object.assign(globalThis, globals);
  await import(pathToFileURL(file));
}

function use({ baseUrl, key }) {
  process.env.PC_TENANT_KEY = key;
  process.env.PC_BASE_URL = baseUrl;
}

/** Runs the quickstart and gives what it did. */
async function flow({ search = 'gmail', connect }) {
  const did = [];
  await run(quickstart.replace("search: 'gmail'", `search: '${search}'`), {
    sendToFrontEnd: connect,
    callApi: async (headers) => did.push(Object.entries(headers).join()),
    askToConnectAgain: async (customer) => did.push(`asked ${customer}`),
    sleep: async (ms) => did.push(`slept ${ms > 0 && ms <= 60_000}`),
  });
  return did;
}

const { log } = console;
const service = await stage();
const strict = await stage({ tokenBudget: 1 });
try {
  use(service);
  const later = (link) => void setTimeout(() => service.connect(link), 100); // while the program waits
  assert.deepEqual(await flow({ connect: later }), ['authorization,Bearer ya29.secret']);
  assert.deepEqual(await flow({ connect: later, search: 'sendgrid' }), ['x-api-key,secret']);
  service.provider.revoked = true;
  assert.deepEqual(
    await flow({ connect: async (link) => (await service.connect(link), await sleep(1500)) }),
    ['asked alice@example.com'],
  );
  service.provider.revoked = false;
  use(strict);
  await new PabblyConnectPlatform().getToken('alice@example.com', 'unknown').catch(() => {}); // The minute's only one.
  assert.deepEqual(await flow({ connect: strict.connect }), ['slept true']);
  console.log('  the quickstart: both branches and both catch clauses');

  use(service);
  const pc = new PabblyConnectPlatform();
  const customer = 'alice@example.com';
  const made = await pc.createRequestLink(customer, { appId: 'gmail', name: 'Work Gmail' });
  await service.connect(made);
  const pending = await pc.createRequestLink(customer, { appId: 'gmail', name: 'Another' });
  const globals = { pc, customer, connectionId: made.connection_id, pendingId: pending.connection_id, require: createRequire(home) };
  const printed = [];
  console.log = console.debug = console.info = (...parts) => printed.push(parts);
  for (const example of others) await run(example, globals);
  console.log = log;
  const { inspect } = await import('node:util');
  assert.doesNotMatch(inspect(printed, { depth: null }), /secret|pk_live_/);
  assert.ok(printed.some((parts) => inspect(parts).includes("'not done yet'")), 'the wait timed out');
  assert.ok(printed.some(([text]) => text === 'the customer went away'));
  console.log(`  ${others.length} further examples of docs/node.md`);

  /** Runs the README's example and gives what it prints, with the customer connecting while it waits. */
  const shownBy = async (code) => {
    const shown = [];
    console.log = (...parts) => {
      shown.push(inspect(parts));
      if (parts[0] === 'open') setTimeout(() => service.connect({ request_link: parts[1] }), 100);
    };
    await run(code, { sleep });
    console.log = log;
    return shown;
  };
  const [opened, got, ...more] = await shownBy(readme[0]);
  assert.match(opened, /http.*127\.0\.0\.1/);
  assert.match(got, /'got',\s+Token \{.*\[redacted\]/s);
  assert.deepEqual(more, []);
  service.provider.revoked = true;
  const [, refused] = await shownBy(readme[0].replace('// 5:', 'await sleep(1500); // until the token has expired\n// 5:'));
  assert.match(refused, /through the connect flow again/);
  console.log("  the README's quickstart: with a token, and with a grant that was revoked");
} finally {
  console.log = log;
  await Promise.all([service.close(), strict.close()]);
  rmSync(home, { recursive: true });
}
