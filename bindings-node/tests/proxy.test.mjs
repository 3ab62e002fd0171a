// Bodies of proxied calls: how they pass, and how they end. What is the same in every language is in tests/scenarios/.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, test } from 'node:test';
import { PabblyConnectPlatform, proxyFetch } from '@pabbly/connect-platform';
import { fakeClient } from '@pabbly/connect-platform/testing';

/** Far more than what sockets and their two sides keep. */
const LARGE = 256 << 20;
const KEPT = 64 << 20;
const PART = Buffer.alloc(64 << 10, 'x');

/** A platform that answers as `respond` does, and a customer of it. */
async function platform(respond) {
  const server = http.createServer(async (request, response) => {
    request.on('error', () => {});
    try {
      await respond(request, response);
    } catch (error) {
      // A request that the client took back.
      if (error.code !== 'ECONNRESET') throw error;
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseUrl = `http://127.0.0.1:${server.address().port}`;
  const client = new PabblyConnectPlatform({ apiKey: 'pk_test_x', baseUrl });
  after(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  return { client, alice: client.customer('alice@example.com') };
}

const PROVIDER = { 'x-connect-source': 'provider' };

/** Answers with what arrived, and says how. */
async function echo(request, response) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const { method, url, headers } = request;
  response.writeHead(200, { ...PROVIDER, 'x-arrived': JSON.stringify({ method, url, headers }) });
  response.end(Buffer.concat(parts));
}

const arrived = (response) => JSON.parse(response.headers.get('x-arrived'));

/** Gives parts, and counts them. */
async function* counted(counter) {
  for (; counter.bytes < LARGE; counter.bytes += PART.length) yield PART;
}

test('a reader that is slow stops the sender', { timeout: 120_000 }, async () => {
  const sent = { bytes: 0 };
  const { alice } = await platform((_, response) => {
    response.writeHead(200, PROVIDER);
    void pipeline(counted(sent), response);
  });
  const response = await alice.proxy('c', { path: 'export' });
  const reader = response.body.getReader();
  const first = await reader.read();
  await sleep(500);
  assert.ok(sent.bytes < KEPT, `${sent.bytes} bytes were sent to who read one part`);
  let rest = 0;
  for (let part; !(part = await reader.read()).done; ) rest += part.value.length;
  assert.equal(first.value.length + rest, LARGE);
});

test('a provider that is slow stops the source', { timeout: 120_000 }, async () => {
  const given = { bytes: 0 };
  let taken = 0;
  const { alice } = await platform(async (request, response) => {
    await sleep(500);
    assert.ok(given.bytes < KEPT, `${given.bytes} bytes were taken from the source, and none sent on`);
    for await (const part of request) taken += part.length;
    response.writeHead(200, PROVIDER).end();
  });
  const response = await alice.proxy('c', { method: 'POST', path: 'import', body: counted(given) });
  assert.deepEqual([response.status, taken], [200, LARGE]);
});

test('the other side sees a cancellation', async (t) => {
  const ended = [];
  const begin = (head) =>
    platform((request, response) => {
      const end = deferred();
      ended.push(end.promise);
      request.resume();
      response.on('close', () => end.resolve(performance.now()));
      if (head) response.writeHead(200, PROVIDER).write('begin');
    });
  const delays = {};
  const reason = new Error('taken back');
  const rejects = (call) => assert.rejects(call, (error) => error === reason);
  const measured = async (how, cancel, call) => {
    const rejected = call && rejects(call);
    const at = performance.now();
    await cancel();
    delays[how] = (await ended.pop()) - at;
    await rejected;
  };

  const waiting = await begin(false);
  const controller = new AbortController();
  const call = waiting.alice.proxy('c', { path: 'a', signal: controller.signal });
  while (ended.length === 0) await sleep(5);
  await measured('before the response', () => controller.abort(reason), call);

  const streaming = await begin(true);
  const second = new AbortController();
  const response = await streaming.alice.proxy('c', { path: 'a', signal: second.signal });
  await measured('while nobody reads', () => second.abort(reason));
  await rejects(response.text());

  const third = new AbortController();
  const reading = await streaming.alice.proxy('c', { path: 'a', signal: third.signal });
  const text = reading.text();
  await sleep(20);
  await measured('while it is read', () => third.abort(reason), text);

  const left = await streaming.alice.proxy('c', { path: 'a' });
  await measured('by the body', () => left.body.cancel());

  let isCancelled = false;
  const body = new ReadableStream({ cancel: () => void (isCancelled = true) });
  const fourth = new AbortController();
  const uploading = waiting.alice.proxy('c', { method: 'POST', path: 'a', body, signal: fourth.signal });
  while (ended.length === 0) await sleep(5);
  await measured('while the source waits', () => fourth.abort(reason), uploading);
  assert.ok(isCancelled);

  const shown = Object.entries(delays).map(([how, delay]) => `${how} ${delay.toFixed(1)} ms`);
  t.diagnostic(`the other side saw a cancellation after: ${shown.join(', ')}`);
  for (const [how, delay] of Object.entries(delays)) assert.ok(delay < 2000, how);
});

function deferred() {
  const all = {};
  all.promise = new Promise((resolve) => (all.resolve = resolve));
  return all;
}

test('a body that nobody holds any more ends its call', { skip: !globalThis.gc && 'needs --expose-gc' }, async () => {
  const end = deferred();
  const { alice } = await platform((_, response) => {
    response.on('close', end.resolve);
    response.writeHead(200, PROVIDER).write('begin');
  });
  await alice.proxy('c', { path: 'a', signal: new AbortController().signal });
  const collecting = setInterval(() => globalThis.gc(), 20);
  await end.promise;
  clearInterval(collecting);
});

test('what a source fails with is what the call fails with', async () => {
  const { alice } = await platform(echo);
  const mine = new Error('mine');
  async function* source() {
    yield 'begin';
    throw mine;
  }
  await assert.rejects(alice.proxy('c', { method: 'POST', path: 'a', body: source() }), (error) => error === mine);
  async function* numbers() {
    yield 5;
  }
  await assert.rejects(alice.proxy('c', { method: 'POST', path: 'a', body: numbers() }), TypeError);
});

test('a source is left where the platform answers before its end', async () => {
  const { alice } = await platform((_, response) => {
    response.writeHead(403, { 'x-connect-source': 'platform', 'content-type': 'application/json' });
    response.end('{"status":"error","message":"No.","data":{"code":"capability_disabled"}}');
  });
  const left = deferred();
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(Buffer.from('begin')),
    cancel: left.resolve,
  });
  await assert.rejects(alice.proxy('c', { method: 'POST', path: 'a', body }), { name: 'CapabilityDisabledError' });
  await left.promise;
});

test('bodies and pairs come in every shape', async () => {
  const { alice } = await platform(echo);
  const bytes = new Uint8Array([104, 105]);
  const stream = () => new Blob(['hi']).stream();
  for (const body of ['hi', bytes, bytes.buffer, Buffer.from('hi'), stream()]) {
    const response = await alice.proxy('c', { method: 'POST', path: 'a', body });
    assert.equal(await response.text(), 'hi');
  }
  const length = { 'content-length': '2' };
  const sized = await alice.proxy('c', { method: 'POST', path: 'a', headers: length, body: stream() });
  assert.equal(arrived(sized).headers['content-length'], '2');
  const text = 'a=1&b=true';
  const params = new URLSearchParams(text);
  for (const query of [{ a: 1, b: true, c: undefined }, params, new Map(params), [...params]]) {
    const response = await alice.proxy('c', { path: 'a', query, headers: new Headers({ 'X-A': 'b' }) });
    assert.equal(arrived(response).url, `/connections/c/proxy/a?${text}`);
    assert.equal(arrived(response).headers['x-a'], 'b');
  }
  for (const wrong of [{ path: undefined }, { body: 5 }, { headers: { cookie: 'x' } }, { boddy: 'x' }]) {
    await assert.rejects(alice.proxy('c', { path: 'a', ...wrong }), { name: 'InvalidArgumentError' });
  }
});

test('a closed client reads no more', async () => {
  const { client, alice } = await platform((_, response) => response.writeHead(200, PROVIDER).write('begin'));
  const response = await alice.proxy('c', { path: 'a' });
  const text = response.text();
  await sleep(20);
  client.close();
  await assert.rejects(text, { name: 'CancelledError' });
});

test('proxyFetch is what libraries take for fetch', async () => {
  const { alice } = await platform(echo);
  const send = proxyFetch(alice, 'c', { baseUrl: 'https://api.example.com/v1', timeoutMs: 20_000 });
  const url = 'https://api.example.com/v1/a%2Fb?x=1#part';
  const form = new FormData();
  form.set('file', new Blob(['hi']), 'a.txt');
  const types = [];
  const own = { authorization: 'Bearer none', 'accept-encoding': 'gzip', 'x-a': 'b' };
  for (const [input, init] of [
    [url, { method: 'POST', body: 'hi', headers: own }],
    [new URL(url), { method: 'POST', body: new URLSearchParams({ hi: '' }) }],
    [url, { method: 'POST', body: form }],
    [url, { method: 'POST', body: new Blob(['hi'], { type: 'text/x' }) }],
    [url, { method: 'POST', body: new Blob(['hi']).stream(), duplex: 'half' }],
    [new Request(url, { method: 'POST', body: 'hi' })],
  ]) {
    const response = await send(input, init);
    const { method, url: path, headers } = arrived(response);
    assert.deepEqual([method, path], ['POST', '/connections/c/proxy/a%2Fb?x=1']);
    assert.equal(headers.authorization, 'Bearer pk_test_x');
    assert.equal(headers['accept-encoding'], undefined);
    assert.match(await response.text(), /hi/);
    types.push(headers['content-type']?.replace(/;.*/, ''), headers['transfer-encoding'] ?? 'whole');
  }
  assert.deepEqual(types, [
    'text/plain', 'whole',
    'application/x-www-form-urlencoded', 'whole',
    'multipart/form-data', 'whole',
    'text/x', 'whole',
    undefined, 'chunked',
    'text/plain', 'chunked',
  ]);
  for (const elsewhere of ['https://evil.example/v1/a', 'https://api.example.com/v2', 'http://api.example.com/v1/a']) {
    await assert.rejects(send(elsewhere), { name: 'InvalidArgumentError' });
  }
  const reason = new Error('taken back');
  await assert.rejects(send(url, { signal: AbortSignal.abort(reason) }), (error) => error === reason);
});

test('a fake gives a response', async () => {
  const fake = fakeClient({ proxy: () => new Response('hi', { status: 404 }) });
  const response = await fake.customer('alice@example.com').proxy('c', { path: 'a' });
  assert.deepEqual([response.status, await response.text()], [404, 'hi']);
  assert.deepEqual(fake.calls, [{ method: 'proxy', arguments: ['alice@example.com', 'c', { path: 'a' }] }]);
  await assert.rejects(fake.proxy('alice@example.com', 'c', { pth: 'a' }), { name: 'InvalidArgumentError' });
});
