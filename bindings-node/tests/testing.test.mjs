// `@pabbly/connect-platform/testing`: the fake client, and the emulator, which is `connect-service dev`.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionDeletedError, NeedsReconnectionError, PabblyConnectPlatform, Token } from '@pabbly/connect-platform';
import { EmulatorError, fakeClient, startEmulator } from '@pabbly/connect-platform/testing';
import { folder, program, started } from './support.mjs';

const alice = 'alice@example.com';
const token = Token.of({ access_token: 'test' });

describe('a fake client', () => {
  it('gives values, what functions give, and errors', async () => {
    const pc = fakeClient({
      getToken: token,
      getConnection: async (email, id) => ({ id, status: 'active', customer_name: email }),
      getApp: (id) => ({ id, name: 'Gmail' }),
      verifyConnection: new NeedsReconnectionError('revoked'),
      addUsage: () => { throw new ConnectionDeletedError('gone'); },
      deleteConnection: undefined,
    });
    assert.equal(await pc.getToken(alice, 'c'), token);
    assert.deepEqual(await pc.getConnection(alice, 'c'), { id: 'c', status: 'active', customer_name: alice });
    assert.equal((await pc.getApp('gmail')).id, 'gmail');
    await assert.rejects(pc.verifyConnection(alice, 'c'), NeedsReconnectionError);
    await assert.rejects(pc.addUsage(alice, 'c', 'u'), ConnectionDeletedError);
    assert.equal(await pc.deleteConnection(alice, 'c'), undefined);
    assert.ok(pc instanceof PabblyConnectPlatform);
  });

  it('names the method that has no result', async () => {
    await assert.rejects(fakeClient().removeUsage(alice, 'c', 'u'), /no result for removeUsage/);
    await assert.rejects(async () => { for await (const _ of fakeClient().listApps()); }, /no result for listApps/);
  });

  it('tells its calls, those of a customer among them', async () => {
    const pc = fakeClient({ getToken: token, createRequestLink: () => { throw new Error('no link'); } });
    await pc.getToken(alice, 'c');
    await pc.customer(alice).getToken('d', { timeoutMs: 5 });
    await assert.rejects(pc.createRequestLink(alice, { appId: 'gmail', name: 'Work' }), /no link/);
    assert.deepEqual(pc.calls, [
      { method: 'getToken', arguments: [alice, 'c'] },
      { method: 'getToken', arguments: [alice, 'd', { timeoutMs: 5 }] },
      { method: 'createRequestLink', arguments: [alice, { appId: 'gmail', name: 'Work' }] },
    ]);
  });

  it('gives a list as one page and item by item', async () => {
    const page = { apps: [{ id: 'gmail', name: 'Gmail' }, { id: 'slack', name: 'Slack' }] };
    const pc = fakeClient({ listApps: page, listConnections: () => ({ connections: [] }) });
    assert.equal(await pc.listApps({ search: 'a' }), page);
    const ids = [];
    for await (const { id } of pc.listApps()) ids.push(id);
    assert.deepEqual(ids, ['gmail', 'slack']);
    assert.deepEqual((await pc.customer(alice).listConnections()).connections, []);
    const calls = [{ method: 'listApps', arguments: [{ search: 'a' }] }, { method: 'listApps', arguments: [] }];
    assert.deepEqual(pc.calls, [...calls, { method: 'listConnections', arguments: [alice] }]);
  });

  it('gives events, and then ends', async () => {
    const event = (cursor) => ({ id: `evt_${cursor}`, type: 'webhook.test', timestamp: '2026-11-29T12:00:00Z', cursor, data: {} });
    const pc = fakeClient({ events: ({ after } = {}) => (after ? [] : [event('a1'), event('a2')]) });
    const feed = pc.events();
    const cursors = [];
    for await (const { cursor } of feed) {
      cursors.push([cursor, feed.cursor]);
      break;
    }
    for await (const { cursor } of feed) cursors.push([cursor, feed.cursor]);
    assert.deepEqual(cursors, [['a1', 'a1'], ['a2', 'a2']]);
    for await (const _ of pc.events({ after: 'a2', waitMs: 0 }, { timeoutMs: 5 })) assert.fail();
    assert.deepEqual(pc.calls, [
      { method: 'events', arguments: [] },
      { method: 'events', arguments: [{ after: 'a2', waitMs: 0 }, { timeoutMs: 5 }] },
    ]);
    await assert.rejects(pc.events({ from: 'a2' })[Symbol.asyncIterator]().next(), /no option "from"/);
  });

  it('refuses what the real client refuses', async () => {
    const pc = fakeClient({ getToken: token, listConnections: { connections: [] } });
    assert.throws(() => pc.getToken('nobody', 'c'), { code: 'invalid_user_email' });
    assert.throws(() => pc.listConnections('nobody'), { code: 'invalid_user_email' });
    assert.throws(() => pc.customer('nobody'), { code: 'invalid_user_email' });
    await assert.rejects(pc.getToken(alice, 'c', { timeout: 5 }), /no option "timeout"/);
    await assert.rejects(pc.getToken(alice, 'c', { signal: AbortSignal.abort() }), { name: 'AbortError' });
    assert.deepEqual(pc.calls, []);
  });
});

describe('an emulator', () => {
  before(() => { process.env.PC_DEV_BIN = program('connect-service', 'connect-service'); });

  it('connects, revokes and says why it refuses', async () => {
    const emulator = await startEmulator({ args: ['--seed'] });
    try {
      assert.deepEqual(Object.keys(emulator.env), ['PC_TENANT_KEY', 'PC_BASE_URL', 'PC_DEV_URL']);
      const pc = new PabblyConnectPlatform({ apiKey: emulator.tenantKey, baseUrl: emulator.baseUrl });
      const link = await pc.createRequestLink(alice, { appId: 'gmail', name: 'Work' });
      const connected = await emulator.ctl('connect', link.request_link);
      assert.deepEqual([connected.connection_id, connected.status], [link.connection_id, 'active']);
      assert.ok((await pc.getToken(alice, link.connection_id)).access_token);
      await emulator.ctl('revoke', link.connection_id);
      await assert.rejects(pc.getToken(alice, link.connection_id), NeedsReconnectionError);
      await assert.rejects(emulator.ctl('expire', 'conn_unknown'), (error) => {
        assert.ok(error instanceof EmulatorError && error.stderr.includes('There is no such connection'), error);
        return error.message.startsWith('connect-service dev ctl expire failed:\n');
      });
    } finally {
      await emulator.stop();
    }
    await assert.rejects(fetch(emulator.baseUrl), /fetch failed/);
    await emulator.stop();
  });

  it('ends at the end of a block', async () => {
    const emulator = await startEmulator();
    await emulator[Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]();
    await assert.rejects(fetch(emulator.baseUrl), /fetch failed/);
  });

  it('tells why it does not start', async () => {
    await assert.rejects(startEmulator({ binary: '/nowhere/connect-service' }), (error) =>
      error instanceof EmulatorError && /no program \/nowhere.*cargo build/.test(error.message) && error.cause.code === 'ENOENT');
    await assert.rejects(startEmulator({ args: ['--prot', '1'] }), (error) =>
      error instanceof EmulatorError && /ended with 2:\n.*unexpected argument '--prot'/s.test(error.message) && error.stderr.includes('Usage'));
  });

  /** Waits until nothing listens there. */
  async function gone(baseUrl) {
    for (const until = Date.now() + 30_000; Date.now() < until; await sleep(50)) {
      try { await fetch(baseUrl); } catch { return; }
    }
    assert.fail(`${baseUrl} still listens`);
  }
  const script = "const { startEmulator } = await import('@pabbly/connect-platform/testing'); console.log((await startEmulator()).baseUrl);";

  it('ends with the process that started it', async () => {
    const { child, line } = await started(process.execPath, ['--input-type=module', '-e', script], { cwd: folder });
    // It does not keep the process alive either.
    if (child.exitCode === null) await once(child, 'exit');
    await gone(line);
  });

  it('ends with a process that is killed', async () => {
    const stays = `${script} setInterval(() => {}, 1000);`;
    const { child, line } = await started(process.execPath, ['--input-type=module', '-e', stays], { cwd: folder });
    assert.ok((await fetch(line)).status > 0);
    child.kill('SIGKILL');
    await gone(line);
  });
});
