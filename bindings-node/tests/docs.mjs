// Runs every example of docs/node.md against `connect-service dev`: the quickstart once for each way that it can go, and
// the others one after the other with what they leave undefined; those that are tests are left to packaging.mjs. Then the
// README's, both ways.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { PabblyConnectPlatform } from '@pabbly/connect-platform';
import { startEmulator } from '@pabbly/connect-platform/testing';
import { examplesOf, folder, program, runnerOf } from './support.mjs';

const examples = examplesOf('docs/node.md').filter((example) => !runnerOf(example));
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

const use = ({ env }) => Object.assign(process.env, env);

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
const binary = program('connect-service', 'connect-service');
/** An emulator whose tenant may ask for so many tokens in a minute. */
async function start({ tokenBudget }) {
  Object.assign(process.env, { CONNECT_BUDGETS_TOKEN: tokenBudget, CONNECT_BUDGETS_DEFAULT: 100_000, CONNECT_BUDGETS_STATUS: 100_000 });
  const emulator = await startEmulator({ binary });
  const connect = ({ request_link }) => emulator.ctl('connect', request_link);
  const connectAndRevoke = async (link) => (await connect(link), await emulator.ctl('revoke', link.connection_id));
  return Object.assign(emulator, { connect, connectAndRevoke });
}
const service = await start({ tokenBudget: 100_000 });
const strict = await start({ tokenBudget: 1 });
try {
  use(service);
  const later = (link) => void setTimeout(() => service.connect(link), 100); // while the program waits
  assert.match((await flow({ connect: later })).join(), /^authorization,Bearer dev-access-[\w-]+$/);
  assert.deepEqual(await flow({ connect: later, search: 'sendgrid' }), ['x-api-key,dev-api_key']);
  assert.deepEqual(await flow({ connect: service.connectAndRevoke }), ['asked alice@example.com']);
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
  assert.doesNotMatch(inspect(printed, { depth: null }), /dev-access-|dev-api_key|pk_test_/);
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
    await run(code, { revoke: (link) => service.ctl('revoke', link.connection_id) });
    console.log = log;
    return shown;
  };
  const [opened, got, ...more] = await shownBy(readme[0]);
  assert.match(opened, /http.*127\.0\.0\.1/);
  assert.match(got, /'got',\s+Token \{.*\[redacted\]/s);
  assert.deepEqual(more, []);
  const [, refused] = await shownBy(readme[0].replace('// 5:', 'await revoke(link);\n// 5:'));
  assert.match(refused, /through the connect flow again/);
  console.log("  the README's quickstart: with a token, and with a grant that was revoked");
} finally {
  console.log = log;
  await Promise.all([service.stop(), strict.stop()]);
  rmSync(home, { recursive: true });
}
