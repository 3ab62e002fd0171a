// Webhooks as tests/webhooks.json has them for every language, and as another implementation signs and verifies them.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { InvalidArgumentError, WebhookVerificationError, webhooks } from '@pabbly/connect-platform';
import { Webhook } from 'standardwebhooks';
import { folder } from './support.mjs';

const cases = JSON.parse(readFileSync(new URL('../../tests/webhooks.json', import.meta.url), 'utf8'));
const SECRET = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD';
const EVENT = {
  id: 'evt_1',
  type: 'connection.needs_reconnection',
  timestamp: '2026-11-29T12:00:00Z',
  cursor: 'a1',
  data: { connection: { id: 'conn_1', status: 'expired', origin: 'link' }, reason: 'grant_refused', since: '2026-11-29T12:00:00Z' },
};
const BODY = JSON.stringify(EVENT);

for (const { name, headers, body, secrets, received_at, expect } of cases) {
  test(name, () => {
    const receivedAt = new Date(received_at * 1000);
    const verify = () => webhooks.verify(headers, body, secrets, { receivedAt });
    if (expect.event) return assert.deepEqual(verify(), expect.event);
    const kind = expect.code === 'invalid_argument' ? InvalidArgumentError : WebhookVerificationError;
    assert.throws(verify, (error) => error instanceof kind && error.code === expect.code && !/evt_1|conn_1/.test(inspect(error)));
  });
}

/** The headers that the other implementation makes. */
function signed(secret = SECRET, at = new Date()) {
  const signature = new Webhook(secret).sign(EVENT.id, at, BODY);
  return { 'webhook-id': EVENT.id, 'webhook-timestamp': String(Math.floor(at / 1000)), 'webhook-signature': signature };
}

test('what standardwebhooks signs is verified, whatever holds headers and body', () => {
  const headers = signed();
  const raw = { ...headers, host: 'a', 'set-cookie': ['b', 'c'], 'x-none': undefined };
  for (const form of [headers, raw, new Headers(headers), new Map(Object.entries(headers)), Object.entries(headers)]) {
    assert.deepEqual(webhooks.verify(form, BODY, SECRET), EVENT);
  }
  const bytes = new TextEncoder().encode(`__${BODY}`).subarray(2);
  for (const body of [Buffer.from(BODY), bytes, bytes.slice().buffer]) {
    assert.deepEqual(webhooks.verify(headers, body, [SECRET]), EVENT);
  }
});

test('standardwebhooks verifies what we do', () => {
  const { headers, body } = cases.find(({ name }) => name.startsWith('the published vector, whose'));
  const other = new Webhook('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  assert.equal(other.sign(headers['webhook-id'], new Date(1614265330_000), body), headers['webhook-signature']);
  const long = 'whsec_' + Buffer.alloc(64, 'x').toString('base64');
  assert.deepEqual(webhooks.verify(signed(long), BODY, long), EVENT);
  assert.throws(() => webhooks.verify(signed(long), BODY, SECRET), { code: 'bad_signature' });
});

test('by default a webhook came now', () => {
  const ago = (seconds) => signed(SECRET, new Date(Date.now() - seconds * 1000));
  assert.throws(() => webhooks.verify(ago(3600), BODY, SECRET), { code: 'too_old' });
  assert.throws(() => webhooks.verify(ago(-3600), BODY, SECRET), { code: 'too_new' });
});

test('a body that was parsed already is refused with the reason', () => {
  assert.throws(() => webhooks.verify(signed(), EVENT, SECRET), /before anything parses it/);
  assert.throws(() => webhooks.verify(signed(), undefined, SECRET), InvalidArgumentError);
});

test('a secret that is missing from the environment is refused', () => {
  assert.throws(() => webhooks.verify(signed(), BODY, undefined), { name: 'InvalidArgumentError', message: /at least one secret/ });
});

test('a header that comes twice is refused', () => {
  const headers = { ...signed(), 'webhook-id': ['evt_1', 'evt_1'] };
  assert.throws(() => webhooks.verify(headers, BODY, SECRET), { code: 'malformed_webhook' });
});

/** An example of docs/receiving-webhooks.md, at a place where it finds this package and its framework. */
async function example(name) {
  const home = `${folder}tests/.examples/`;
  mkdirSync(home, { recursive: true });
  const file = `${home}${name.replaceAll('/', '-').replace(/\.m?js$/, '.mjs')}`;
  const code = readFileSync(new URL(`../../examples/webhooks/${name}`, import.meta.url), 'utf8');
  writeFileSync(file, code.replace("from 'express'", "from '../runtimes/node_modules/express/index.js'"));
  try {
    return await import(pathToFileURL(file));
  } finally {
    rmSync(home, { recursive: true });
  }
}

/** A webhook of this event, and the same with another body. */
async function bring(post) {
  process.env.PC_WEBHOOK_SECRET = SECRET;
  const headers = { ...signed(), 'content-type': 'application/json' };
  const told = [];
  const { log } = console;
  console.log = (text) => told.push(text);
  try {
    const good = await post({ method: 'POST', headers, body: BODY });
    assert.deepEqual([good.status, await good.text()], [204, '']);
    const bad = await post({ method: 'POST', headers, body: BODY.replace('evt_1', 'evt_2') });
    assert.deepEqual([bad.status, await bad.text()], [400, 'bad_signature']);
  } finally {
    console.log = log;
  }
  assert.deepEqual(told, ['ask for conn_1 again: grant_refused']);
}

test('the example in Express takes webhooks alone', async () => {
  const { app } = await example('express.mjs');
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    await bring((request) => fetch(`http://127.0.0.1:${server.address().port}/hooks/connect`, request));
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('the example in Next.js takes webhooks alone', async () => {
  const { POST } = await example('next/route.js');
  await bring((request) => POST(new Request('http://localhost/hooks/connect', request)));
});
