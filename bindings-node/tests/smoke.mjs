// Uses a bit of everything; run by every runtime that is supported, and from an installed package.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { inspect } from 'node:util';
import { NeedsReconnectionError, PabblyConnectPlatform } from '@pabbly/connect-platform';
import { failing, stub, success, TOKEN } from './stub.mjs';

const alice = 'alice@example.com';
const pending = new Set();
const service = await stub(({ method, url }) => {
  if (url.startsWith('/apps?')) {
    const page = Number(new URL(url, 'http://x').searchParams.get('page') ?? 1);
    return success({ apps: [{ id: `app-${page}`, name: 'Größe ✓' }], page, limit: 1, total: 3 });
  }
  if (url === '/connections/gone/token') return failing(401, 'needs_reconnection');
  if (url === '/connections/slow/token') return undefined;
  if (url === '/connections/c/token') return success(TOKEN);
  if (url === '/connections/fields/token') return success({ auth_type: 'api_key', fields: { api_key: 'secret' }, expires_in: null });
  if (method === 'DELETE') return success(null);
  const seen = pending.has(url);
  pending.add(url);
  return success({ id: 'c', status: seen ? 'active' : 'pending' });
});
const pc = new PabblyConnectPlatform({ apiKey: 'pk_live_secret', baseUrl: service.baseUrl });
assert.equal(createRequire(import.meta.url)('@pabbly/connect-platform').PabblyConnectPlatform, PabblyConnectPlatform);

const ids = [];
for await (const app of pc.listApps({ limit: 1 })) ids.push(app.id, app.name);
assert.deepEqual(ids, ['app-1', 'Größe ✓', 'app-2', 'Größe ✓', 'app-3', 'Größe ✓']);
assert.equal((await pc.waitForConnection(alice, 'c', { intervalMs: 100 })).status, 'active');
assert.equal(await pc.deleteConnection(alice, 'c'), undefined);

const token = await pc.getToken(alice, 'c');
assert.equal(token.access_token, 'ya29.secret');
const { fields } = await pc.customer(alice).getToken('fields');
assert.equal(fields.api_key, 'secret');
for (const value of [token, fields, pc]) assert.doesNotMatch(inspect(value) + JSON.stringify(value) + `${value}`, /secret/);

await assert.rejects(pc.getToken(alice, 'gone'), (error) => {
  assert.ok(error instanceof NeedsReconnectionError && error instanceof Error);
  assert.equal(error.status, 401);
  assert.match(error.stack, /smoke\.mjs/);
  return true;
});
assert.throws(() => pc.getToken(undefined, 'c'), { code: 'invalid_user_email' });
await assert.rejects(pc.getToken(alice, 'slow', { signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' });

const many = await Promise.all(Array.from({ length: 200 }, () => pc.getToken(alice, 'c')));
assert.ok(many.every((each) => each.access_token === 'ya29.secret'));
service.close();
const { bun, deno, node } = process.versions;
console.log(`  ${bun ? `Bun ${bun}` : deno ? `Deno ${deno}` : `Node ${node}`}: works`);
