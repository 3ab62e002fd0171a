// What only this language can get wrong: errors as JavaScript knows them, signals, lists, hooks, secrets in print.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { getEventListeners, once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { format, inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import * as sdk from '@pabbly/connect-platform';
import { folder } from './support.mjs';
import { failing, stub, success, TOKEN } from './stub.mjs';

const { PabblyConnectPlatform, PabblyConnectError, Token } = sdk;
const require = createRequire(import.meta.url);
const alice = 'alice@example.com';
const KEY = 'pk_live_secretsecret';

let answer = () => success(TOKEN);
let service;
let client;
before(async () => {
  service = await stub((request) => answer(request));
  client = new PabblyConnectPlatform({ apiKey: KEY, baseUrl: service.baseUrl, backoffMs: 1 });
});
after(() => service.close());

/** The error that a call ends with. */
const caught = (promise) => promise.then((value) => assert.fail(`no error but ${inspect(value)}`), (error) => error);
const soon = () => new Promise((resolve) => setTimeout(resolve, 20));

describe('the package', () => {
  it('is the same however it is loaded', () => {
    assert.equal(require('@pabbly/connect-platform').PabblyConnectPlatform, PabblyConnectPlatform);
    assert.deepEqual(Object.keys(require('@pabbly/connect-platform')).sort(), Object.keys(sdk).sort());
  });

  it('has every method and option of the manifest', () => {
    const tables = JSON.parse(execFileSync('cargo', ['xtask', 'tables'], { cwd: folder }));
    const types = readFileSync(`${folder}ts/generated/options.ts`, 'utf8');
    assert.ok(tables.methods.length >= 8);
    for (const { name } of tables.methods) assert.equal(typeof PabblyConnectPlatform.prototype[name], 'function', name);
    const options = [...tables.clientOptions, ...tables.callOptions, ...tables.methods.flatMap((method) => method.options)];
    assert.ok(options.length > 25);
    for (const { name } of options) assert.match(types, new RegExp(`\\b${name}\\??: `), name);
  });
});

describe('errors', () => {
  it('say where the call was made', async () => {
    answer = () => failing(404, 'connection_deleted');
    const error = await caught(client.getToken(alice, 'conn_1'));
    const lines = error.stack.split('\n');
    assert.equal(lines[0], 'ConnectionDeletedError: it is connection_deleted');
    assert.match(lines[1], /behaviour\.test\.mjs:\d+/);
    assert.doesNotMatch(error.stack, /index\.cjs/);
    const narrowed = await caught(client.customer(alice).getToken('conn_1'));
    assert.match(narrowed.stack.split('\n')[1], /behaviour\.test\.mjs:\d+/);
    const paged = await caught((async () => { for await (const _ of client.listApps()); })());
    assert.match(paged.stack.split('\n')[1], /behaviour\.test\.mjs:\d+/);
  });

  it('are errors of their class, with all that is known', async () => {
    answer = () => failing(429, 'rate_limited', { 'retry-after': '7', 'x-request-id': 'r1', 'set-cookie': 'a=b' });
    const error = await caught(client.getToken(alice, 'conn_1'));
    assert.ok(error instanceof sdk.RateLimitedError && error instanceof PabblyConnectError && error instanceof Error);
    assert.ok(!(error instanceof sdk.NeedsReconnectionError));
    const { name, code, status, retryAfter, attempts, message } = error;
    assert.deepEqual(
      { name, code, status, retryAfter, attempts, message },
      { name: 'RateLimitedError', code: 'rate_limited', status: 429, retryAfter: 7, attempts: 1, message: 'it is rate_limited' },
    );
    assert.equal(error.response.headers['x-request-id'], 'r1');
    assert.ok(!('set-cookie' in error.response.headers));
    assert.equal(error.response.body.data.code, 'rate_limited');
    assert.equal(JSON.parse(JSON.stringify(error)).name, 'RateLimitedError');
    assert.equal(Object.prototype.toString.call(error), '[object Error]');
  });

  it('have the cause of a failed connection', async () => {
    const nobody = new PabblyConnectPlatform({ apiKey: KEY, baseUrl: 'http://127.0.0.1:1' });
    const error = await caught(nobody.getToken(alice, 'conn_1'));
    assert.ok(error instanceof sdk.NetworkError);
    let deepest = error;
    while (deepest.cause) deepest = deepest.cause;
    assert.ok(deepest !== error && deepest instanceof Error);
    assert.match(deepest.message, /refused/i);
    assert.match(inspect(error), /cause/);
  });

  it('are known across two copies of the package', async () => {
    const home = mkdtempSync(join(tmpdir(), 'second-copy-'));
    try {
      cpSync(`${folder}dist`, join(home, 'dist'), { recursive: true });
      for (const file of [`${process.platform}-${process.arch}`].flatMap((p) => ['', '-gnu', '-musl', '-msvc'].map((libc) => `connect-platform.${p}${libc}.node`))) {
        try { cpSync(`${folder}${file}`, join(home, file)); } catch {}
      }
      const other = require(join(home, 'dist/index.cjs'));
      assert.notEqual(other.RateLimitedError, sdk.RateLimitedError);
      answer = () => failing(429, 'rate_limited');
      const error = await caught(client.getApp('gmail'));
      assert.ok(error instanceof other.RateLimitedError && error instanceof other.PabblyConnectError);
      assert.ok(!(error instanceof other.NeedsReconnectionError));
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  it('can be derived from and made', () => {
    class Mine extends sdk.RateLimitedError {}
    const error = new sdk.RateLimitedError('slow', { status: 429, code: 'rate_limited', retryAfter: 3 });
    assert.equal(error.retryAfter, 3);
    assert.ok(!(error instanceof Mine));
    assert.ok(new Mine('x') instanceof Mine && new Mine('x') instanceof sdk.RateLimitedError);
    for (const value of [null, undefined, 1, 'RateLimitedError', {}]) assert.ok(!(value instanceof sdk.RateLimitedError));
  });
});

describe('what is refused', () => {
  it('throws synchronously for an e-mail', () => {
    const calls = [
      (email) => client.createRequestLink(email, { appId: 'gmail', name: 'Work' }),
      (email) => client.getConnection(email, 'c'),
      (email) => client.waitForConnection(email, 'c'),
      (email) => client.getToken(email, 'c'),
      (email) => client.listConnections(email),
      (email) => client.deleteConnection(email, 'c'),
      (email) => client.confirmConnection(email, 'c', 'code'),
      (email) => client.customer(email),
      (email) => client.getToken(email, 'c', { signal: AbortSignal.abort() }),
      (email) => client.getToken(email, 'c', { typo: 1 }),
      (email) => client.createRequestLink(email),
    ];
    const seen = service.requests.length;
    for (const email of [undefined, null, '', 5, {}, 'alice', 'a b@example.com', 'alice@example.com\r\nx: y']) {
      for (const call of calls) {
        assert.throws(() => call(email), { name: 'InvalidUserEmailError', code: 'invalid_user_email', attempts: 0 });
      }
    }
    assert.equal(service.requests.length, seen);
  });

  it('rejects for everything else', async () => {
    const seen = service.requests.length;
    const calls = [
      () => client.getApp(undefined),
      () => client.getApp(5),
      () => client.getToken(alice, ''),
      () => client.getToken(alice, 'c', { timeout: 5 }),
      () => client.getToken(alice, 'c', { timeoutMs: '5' }),
      () => client.getToken(alice, 'c', { timeoutMs: -1 }),
      () => client.getToken(alice, 'c', { timeoutMs: NaN }),
      () => client.getToken(alice, 'c', { maxRetries: 1.5 }),
      () => client.getToken(alice, 'c', { signal: 5 }),
      () => client.getToken(alice, 'c', 5),
      () => client.waitForConnection(alice, 'c', { intervalMs: -1 }),
      () => client.listApps({ signal: new AbortController().signal }),
      () => client.listApps({ page: 1.5 }),
      () => client.createRequestLink(alice, { appId: 'gmail' }),
      () => client.createRequestLink(alice, { name: 'Work' }),
      () => client.createRequestLink(alice, undefined),
    ];
    for (const [number, call] of calls.entries()) {
      const error = await caught(call());
      assert.equal(error.name, 'InvalidArgumentError', `${number}: ${inspect(error)}`);
      assert.equal(error.code, 'invalid_argument');
      assert.match(error.stack, /behaviour\.test\.mjs/);
    }
    assert.equal(service.requests.length, seen);
  });

  it('names an option that does not exist', () => {
    assert.throws(() => new PabblyConnectPlatform({ apiKey: KEY, timeout: 5 }), {
      name: 'InvalidArgumentError',
      message: /no option "timeout".*timeoutMs/,
    });
    assert.throws(() => new PabblyConnectPlatform({ apiKey: KEY, timeoutMs: '5' }), { name: 'InvalidArgumentError' });
    assert.throws(() => new PabblyConnectPlatform({ apiKey: KEY, maxRetries: -1 }), { name: 'InvalidArgumentError' });
    assert.throws(() => new PabblyConnectPlatform({ apiKey: 'a b' }), { name: 'InvalidArgumentError' });
  });
});

describe('cancellation', () => {
  it('rejects with the reason of a signal that was aborted before, and sends nothing', async () => {
    const seen = service.requests.length;
    const reason = { any: 'thing' };
    assert.equal(await caught(client.getToken(alice, 'c', { signal: AbortSignal.abort(reason) })), reason);
    assert.equal((await caught(client.getToken(alice, 'c', { signal: AbortSignal.abort() }))).name, 'AbortError');
    await soon();
    assert.equal(service.requests.length, seen);
  });

  it('stops a request in flight', async () => {
    answer = () => undefined;
    const controller = new AbortController();
    let own = 0;
    controller.signal.onabort = () => (own += 1);
    const reason = new Error('enough');
    const call = client.getToken(alice, 'c', { signal: controller.signal });
    while (service.requests.at(-1)?.url !== '/connections/c/token') await soon();
    assert.equal(getEventListeners(controller.signal, 'abort').length, 2);
    controller.abort(reason);
    assert.equal(await caught(call), reason);
    assert.equal(own, 1);
    assert.equal(getEventListeners(controller.signal, 'abort').length, 1);
    await service.requests.at(-1).gone; // The request itself was stopped.
  });

  it('stops in back-off and in a wait', async () => {
    answer = () => failing(503, 'upstream_unavailable', { 'retry-after': '30' });
    const controller = new AbortController();
    const call = client.getToken(alice, 'backing-off', { signal: controller.signal });
    while (service.requests.at(-1)?.url !== '/connections/backing-off/token') await soon();
    await soon();
    controller.abort();
    assert.equal((await caught(call)).name, 'AbortError');

    answer = () => success({ id: 'c', status: 'pending' });
    const other = new AbortController();
    const wait = client.waitForConnection(alice, 'c', { signal: other.signal, onPoll: () => other.abort('seen') });
    assert.equal(await caught(wait), 'seen');
    const seen = service.requests.length;
    await soon();
    assert.equal(service.requests.length, seen);
  });

  it('puts one listener on a signal, however many calls it stops', async () => {
    answer = () => undefined;
    const controller = new AbortController();
    const calls = Array.from({ length: 20 }, () => caught(client.getToken(alice, 'c', { signal: controller.signal })));
    assert.equal(getEventListeners(controller.signal, 'abort').length, 1);
    controller.abort('all');
    assert.deepEqual(new Set(await Promise.all(calls)), new Set(['all']));
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
  });

  it('leaves no listener behind, however a call ends', async () => {
    const { signal } = new AbortController();
    answer = () => success(TOKEN);
    await client.getToken(alice, 'c', { signal });
    answer = () => failing(404, 'connection_deleted');
    await caught(client.getToken(alice, 'c', { signal }));
    await caught(client.getToken(alice, '', { signal }));
    answer = () => success({ apps: [] });
    for await (const _ of client.listApps({}, { signal }));
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  it('comes with a timeout signal and between two pages', async () => {
    answer = () => undefined;
    assert.equal((await caught(client.getApp('gmail', { signal: AbortSignal.timeout(30) }))).name, 'TimeoutError');
    answer = ({ url }) => success({ apps: [{ id: url, name: 'x' }] });
    const controller = new AbortController();
    const iterating = (async () => {
      for await (const _ of client.listApps({}, { signal: controller.signal })) controller.abort('stop');
    })();
    assert.equal(await caught(iterating), 'stop');
  });
});

describe('lists', () => {
  const pages = ({ url }) => {
    const page = Number(new URL(url, 'http://x').searchParams.get('page') ?? 1);
    const apps = [1, 2].map((n) => ({ id: `app-${page}-${n}`, name: 'x' }));
    return success({ apps, page, limit: 2, total: 6 });
  };

  it('give one page to await and all to for await, and send nothing before', async () => {
    answer = pages;
    const seen = service.requests.length;
    const list = client.listApps({ limit: 2 });
    await soon();
    assert.equal(service.requests.length, seen);
    const page = await list;
    assert.deepEqual([page.apps.length, page.total], [2, 6]);
    assert.equal(await list, page);
    assert.equal(service.requests.length, seen + 1);
    const ids = [];
    for await (const app of list) ids.push(app.id);
    assert.deepEqual(ids, ['app-1-1', 'app-1-2', 'app-2-1', 'app-2-2', 'app-3-1', 'app-3-2']);
  });

  it('are promises to those who take promises', async () => {
    answer = pages;
    const [one, two] = await Promise.all([client.listApps(), client.listApps().then((page) => page.apps[0].id)]);
    assert.equal(one.apps[0].id, two);
    let ended = 0;
    await client.listApps().finally(() => (ended += 1));
    answer = () => failing(403, 'capability_disabled');
    assert.equal(await client.listApps().catch((error) => error.code), 'capability_disabled');
    assert.equal((await caught(client.listApps())).name, 'CapabilityDisabledError');
    assert.equal(ended, 1);
  });

  it('stop asking when the loop is left', async () => {
    answer = pages;
    const seen = service.requests.length;
    for await (const _ of client.listApps()) break;
    await soon();
    assert.equal(service.requests.length, seen + 1);
  });
});

describe('secrets', () => {
  const shown = (value) => {
    const forms = [
      inspect(value), inspect(value, { depth: null, showHidden: true }), inspect(value, { customInspect: false, showHidden: true }),
      inspect(value, { showProxy: true, depth: null }), inspect([{ value }], { depth: null, colors: true }),
      JSON.stringify(value), JSON.stringify({ value }), `${value}`, String(value), value + '', inspect({ ...value }),
      JSON.stringify(Object.assign({}, value)), format('%o %O %j %s', value, value, value, value),
    ];
    try {
      forms.push(inspect(structuredClone(value), { showHidden: true }));
    } catch (error) {
      assert.equal(error.name, 'DataCloneError');
    }
    return forms.join('\n');
  };

  it('are hidden in a token that a test made', () => {
    const token = Token.of({ access_token: 'ya29.secret', token_type: 'Bearer' });
    assert.deepEqual([token.auth_type, token.authorization, token.expires_in], ['o_auth', 'Bearer ya29.secret', null]);
    assert.doesNotMatch(shown(token), /secret/);
    assert.equal(Token.of({ auth_type: 'api_key', fields: { key: 'secret' } }).fields.key, 'secret');
    for (const wrong of [{}, { auth_type: 'basic' }]) assert.throws(() => Token.of(wrong), { code: 'invalid_argument' });
  });

  const API = {
    access_token: 'ya29.secret', api_base_url: 'https://secret.example/v1', api_headers: { Authorization: 'Bearer secret', Accept: 'a/b' },
    api_query: { key: 'secret' }, scopes: ['secret'], account: { id: 'secret' }, provider_data: { shop: 'secret' },
  };

  it('are hidden in what a token tells of the API', () => {
    const token = Token.of(API);
    assert.deepEqual([token.scopes, token.account, token.api_base_url], [['secret'], { id: 'secret' }, 'https://secret.example/v1']);
    assert.deepEqual({ ...token.api_headers, ...token.api_query, ...token.provider_data }, { Authorization: 'Bearer secret', Accept: 'a/b', key: 'secret', shop: 'secret' });
    assert.doesNotMatch(shown(token), /secret/);
    const request = token.apply('/users?x=1', { method: 'POST', headers: { accept: 'text/csv' } });
    assert.deepEqual([request[0], { ...request[1] }], ['https://secret.example/v1/users?x=1&key=secret', { method: 'POST', headers: { accept: 'text/csv', authorization: 'Bearer secret' }, redirect: 'error' }]);
    assert.equal(token.apply('/', { redirect: 'manual' })[1].redirect, 'manual');
    assert.equal(token.apply('/', { redirect: undefined })[1].redirect, 'error');
    for (const form of [inspect(request), JSON.stringify(request), `${request}`, inspect(request[1]), JSON.stringify(request[1])]) {
      assert.doesNotMatch(form, /secret/);
    }
    for (const path of ['https://evil.example/', '/../x', '/x?key=mine', undefined]) {
      assert.throws(() => token.apply(path), { name: 'InvalidArgumentError', code: 'invalid_argument' });
    }
  });

  it('reach the API with fetch, where the app wants them', async () => {
    const seen = [];
    const api = createServer((request, response) => {
      seen.push([request.url, request.headers.authorization, request.headers.accept]);
      response.end();
    }).listen(0, '127.0.0.1');
    await once(api, 'listening');
    const token = Token.of({ ...API, api_base_url: `http://127.0.0.1:${api.address().port}` });
    for (const headers of [{ Accept: 'text/csv' }, [['Accept', 'text/csv']], new Headers({ Accept: 'text/csv' })]) {
      await (await fetch(...token.apply('users', { method: 'POST', body: '{}', headers }))).text();
    }
    await (await fetch(...token.apply('users'))).text();
    api.close();
    assert.deepEqual(seen, [...Array(3).fill(['/users?key=secret', 'Bearer secret', 'text/csv']), ['/users?key=secret', 'Bearer secret', 'a/b']]);
  });

  it('follow no redirect to another host', async (t) => {
    const seen = [];
    const elsewhere = createServer((request, response) => {
      seen.push(request.headers['x-api-key']);
      response.end();
    });
    const api = createServer((_, response) => response.writeHead(302, { location: `http://127.0.0.1:${elsewhere.address().port}/` }).end());
    for (const server of [elsewhere, api]) {
      await once(server.listen(0, '127.0.0.1'), 'listening');
      t.after(() => server.close());
    }
    const token = Token.of({ ...API, api_base_url: `http://127.0.0.1:${api.address().port}`, api_headers: { 'X-Api-Key': 'secret' } });
    await assert.rejects(fetch(...token.apply('users')), TypeError);
    assert.deepEqual(seen, []);
  });

  it('are hidden in a new key', async () => {
    answer = () => success({ key_id: 'k2', api_key: 'pk_live_secret', replaces: 'k1' });
    const key = await client.rotateKey();
    assert.deepEqual([key.api_key, { ...key }], ['pk_live_secret', { key_id: 'k2', replaces: 'k1' }]);
    assert.doesNotMatch(shown(key), /secret/);
  });

  it('are hidden in a token, whose members are the plain values', async () => {
    answer = () => success({ ...TOKEN, newer: 'secret-too' });
    const token = await client.getToken(alice, 'c');
    assert.equal(token.access_token, 'ya29.secret');
    assert.equal(`${token.token_type} ${token.access_token}`, 'Bearer ya29.secret');
    assert.equal(token.newer, 'secret-too');
    assert.deepEqual([token.auth_type, token.expires_in, token.fields], ['o_auth', 3599, undefined]);
    assert.equal(token.authorization, 'Bearer ya29.secret');
    assert.ok('access_token' in token);
    assert.doesNotMatch(shown(token), /secret/);
    assert.match(inspect(token), /^Token \{\s+auth_type: 'o_auth',\s+access_token: '\[redacted\]'/);
  });

  it('are hidden in the fields of a token', async () => {
    const values = { user: 'secret-name', password: 'secret-word', toJSON: 'secret-trap', toString: 'secret-text' };
    answer = () => success({ auth_type: 'basic', fields: values, expires_in: null });
    const token = await client.getToken(alice, 'c');
    const { fields } = token;
    assert.equal(fields.password, 'secret-word');
    assert.equal(fields['user'], 'secret-name');
    assert.equal(fields.absent, undefined);
    assert.deepEqual(Object.keys(fields), Object.keys(values));
    assert.ok('user' in fields && Object.hasOwn(fields, 'user') && !('absent' in fields));
    assert.deepEqual([token.access_token, token.auth_type, token.expires_in], [undefined, 'basic', null]);
    assert.equal(token.authorization, undefined);
    assert.throws(() => structuredClone(fields), { name: 'DataCloneError' });
    assert.throws(() => { fields.user = 'x'; }, TypeError);
    const { toString, ...usual } = values;
    answer = () => success({ auth_type: 'basic', fields: usual, expires_in: null });
    const other = await client.getToken(alice, 'c');
    assert.doesNotMatch(shown(other), /secret/);
    // Spreading reads every field, which is what was asked for; every other look hides them.
    for (const form of [inspect(other.fields), JSON.stringify(other.fields), `${other.fields}`, inspect(other.fields, { showProxy: true, showHidden: true })]) {
      assert.doesNotMatch(form, /secret/);
    }
    const { toJSON, ...read } = usual;
    assert.deepEqual({ ...other.fields, toJSON: 0 }, { ...read, toJSON: 0 });
  });

  it('are hidden in the client', () => {
    assert.doesNotMatch(shown(client), /secret/);
    assert.doesNotMatch(shown(client.customer(alice)), /secret/);
    assert.match(inspect(client), /PabblyConnectPlatform \{ apiKey: '\[redacted\]' \}/);
  });

  it('are hidden in a printed link, which serialises whole', async () => {
    const link = {
      connection_id: 'c', request_token: 'rt_secret', request_link: 'https://connect.example/connect/secret',
      expires_at: '2026-11-21T10:10:00Z', app: { id: 'gmail', name: 'Gmail' }, newer: 1,
    };
    answer = () => success(link);
    const made = await client.createRequestLink(alice, { appId: 'gmail', name: 'Work' });
    assert.equal(made.request_token, 'rt_secret');
    assert.deepEqual(JSON.parse(JSON.stringify(made)), link);
    assert.deepEqual({ ...made }, link);
    assert.deepEqual(structuredClone(made), link);
    for (const form of [inspect(made), inspect([{ made }], { depth: null, colors: true }), `${made}`]) assert.doesNotMatch(form, /secret/);
  });
});

describe('hooks and the logger', () => {
  it('hear of everything and of no secret', async () => {
    const told = [];
    const hook = (name) => (info) => told.push([name, info]);
    const logged = [];
    const logger = { debug: (...args) => logged.push(['debug', ...args]), info: (...args) => logged.push(['info', ...args]) };
    const listening = new PabblyConnectPlatform({
      apiKey: KEY, baseUrl: service.baseUrl, backoffMs: 1, logger,
      onRequest: hook('request'), onResponse: hook('response'), onRetry: hook('retry'), onWait: hook('wait'),
    });
    let count = 0;
    answer = () => (count++ ? { ...success(TOKEN), headers: { 'x-request-id': 'r2' } } : failing(503, 'upstream_unavailable'));
    await listening.getToken(alice, 'c1');
    assert.deepEqual(told.map(([name]) => name), ['request', 'response', 'retry', 'request', 'response']);
    assert.deepEqual(told[0][1], { call: 'getToken', method: 'POST', path: '/connections/c1/token', attempt: 1 });
    assert.equal(told[1][1].status, 503);
    assert.equal(told[2][1].attempt, 1);
    assert.ok(told[2][1].delayMs >= 0);
    const { elapsedMs, ...response } = told[4][1];
    assert.deepEqual(response, { call: 'getToken', attempt: 2, status: 200, requestId: 'r2' });
    assert.ok(elapsedMs > 0);
    told.length = 0;
    count = 0;
    answer = () => success({ id: 'c2', status: count++ ? 'active' : 'pending' });
    const polls = [];
    await listening.waitForConnection(alice, 'c2', { intervalMs: 100, onPoll: (poll) => polls.push(poll) });
    assert.equal(told.filter(([name]) => name === 'wait').length, 1);
    assert.equal(polls.length, 1);
    assert.equal(polls[0].status, 'pending');
    assert.deepEqual([...new Set(logged.map(([level]) => level))].sort(), ['debug', 'info']);
    assert.doesNotMatch(inspect([told, logged], { depth: null }), /secret/);
  });

  it('that throw do not take the call with them, and are warned about', async () => {
    answer = () => success(TOKEN);
    const warned = new Promise((resolve) => process.once('warning', resolve));
    const careless = new PabblyConnectPlatform({ apiKey: KEY, baseUrl: service.baseUrl, onRequest: () => { throw new Error('oops'); } });
    assert.equal((await careless.getToken(alice, 'c')).access_token, 'ya29.secret');
    assert.match((await warned).message, /oops/);
  });

  it('may be asynchronous, and fail whatever way they like', async () => {
    answer = () => success(TOKEN);
    const warnings = [];
    const note = ({ name, message }) => name === 'PabblyConnectWarning' && warnings.push(message);
    process.on('warning', note);
    const seen = [];
    const careless = new PabblyConnectPlatform({
      apiKey: KEY,
      baseUrl: service.baseUrl,
      logger: { debug: () => { throw Object.create(null); } },
      onRequest: async () => { throw new Error('later'); },
      onResponse: ({ status }) => seen.push(status),
    });
    // An unhandled rejection would fail this test.
    assert.equal((await careless.getToken(alice, 'c')).access_token, 'ya29.secret');
    await soon();
    process.off('warning', note);
    assert.deepEqual(seen, [200]);
    assert.deepEqual(warnings.map((text) => text.split(': ')[1]).sort(), [
      'Error', 'something that cannot be printed', 'something that cannot be printed',
    ]);
  });
});

describe('a client', () => {
  it('of a worker sees the environment of the worker alone', async () => {
    const code = `
      const { PabblyConnectPlatform } = require(${JSON.stringify(require.resolve('@pabbly/connect-platform'))});
      const { parentPort } = require('node:worker_threads');
      try {
        new PabblyConnectPlatform();
        parentPort.postMessage('no error');
      } catch (error) {
        parentPort.postMessage(error.message);
      }`;
    process.env.PC_TENANT_KEY = KEY;
    try {
      const worker = new Worker(code, { eval: true, env: {} });
      const [message] = await once(worker, 'message');
      assert.match(message, /there is no tenant key/);
    } finally {
      delete process.env.PC_TENANT_KEY;
    }
  });

  it('that is closed ends its calls and takes no more', async () => {
    answer = () => undefined;
    const closing = new PabblyConnectPlatform({ apiKey: KEY, baseUrl: service.baseUrl });
    const [one, two] = [closing.getApp('a'), closing.waitForConnection(alice, 'b')].map(caught);
    const other = caught(client.getApp('other', { signal: AbortSignal.timeout(2000) }));
    while (!service.requests.some(({ url }) => url === '/apps/other')) await soon();
    await closing[Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]();
    for (const error of await Promise.all([one, two, caught(closing.getApp('c')), caught(closing.listApps())])) {
      assert.deepEqual([error.name, error.code], ['CancelledError', 'cancelled']);
    }
    assert.equal((await other).name, 'TimeoutError'); // By its own signal: it was left alone.
  });

  it('names itself and the runtime', async () => {
    answer = () => success({ id: 'a', name: 'A' });
    await new PabblyConnectPlatform({ apiKey: KEY, baseUrl: service.baseUrl, userAgent: 'shop/1' }).getApp('a');
    const { headers } = service.requests.at(-1);
    assert.match(headers['user-agent'], new RegExp(`^shop/1 pabbly-connect-node/0\\.1\\.0 node/${process.versions.node.replaceAll('.', '\\.')} `));
    assert.equal(headers.authorization, `Bearer ${KEY}`);
  });
});
