// The guide's seven operations and every code of errors, with openapi-fetch over the types of openapi-typescript.
import assert from 'node:assert/strict';
import createClient from 'openapi-fetch';
import type { components, paths } from './platform.js';

const { PC_BASE_URL, PC_TENANT_KEY, STUB_URL, ERROR_CODES } = process.env as Record<string, string>;
const customer = { 'x-user-email': 'alice@example.com' };
const client = createClient<paths>({ baseUrl: PC_BASE_URL!, headers: { authorization: `Bearer ${PC_TENANT_KEY}` } });

/** What an operation gave, which must have worked. */
async function given<T>(call: Promise<{ data?: { data: T } | undefined; error?: unknown }>): Promise<T> {
  const { data, error } = await call;
  assert.equal(error, undefined);
  assert.ok(data);
  return data.data;
}

const { apps } = await given(client.GET('/apps', { params: { query: { search: 'sendgrid' } } }));
const app = await given(client.GET('/apps/{appId}', { params: { path: { appId: apps[0]!.id } } }));
assert.deepEqual(app, apps[0]);
const option = app.auth_options![0]!;

const link = await given(client.POST('/connections/request-link', {
  params: { header: customer },
  body: { app_id: app.id, name: 'Work' },
}));
const one = { path: { connectionId: link.connection_id }, header: customer };
const pending: components['schemas']['Connection'] = await given(client.GET('/connections/{connectionId}', { params: one }));
assert.deepEqual([pending.status, pending.app?.id], ['pending', app.id]);

const submitted = await given(client.POST('/connections/{connectionId}/submit', {
  params: { path: one.path },
  headers: { 'x-request-token': link.request_token },
  body: { auth_option_key: option.key, fields: { api_key: 'SG.test' } },
}));
assert.equal(submitted.status, 'active');

const token = await given(client.POST('/connections/{connectionId}/token', { params: one }));
assert.ok(token.auth_type !== 'o_auth');
assert.deepEqual([token.fields, token.expires_in], [{ api_key: 'SG.test', region: 'api' }, null]);
const { connections } = await given(client.GET('/connections', { params: { header: customer } }));
assert.deepEqual(connections.map(({ id }) => id), [link.connection_id]);
assert.equal((await given(client.DELETE('/connections/{connectionId}', { params: one }))).revocation, 'none');
const gone = await client.GET('/connections/{connectionId}', { params: one });
assert.equal(gone.error?.data.code, 'connection_deleted');

const codes = JSON.parse(ERROR_CODES!) as Record<string, number>;
for (const [code, status] of Object.entries(codes)) {
  const stub = createClient<paths>({ baseUrl: STUB_URL!, headers: { 'x-error-code': code } });
  const { error, response } = await stub.POST('/connections/request-link', {
    params: { header: customer },
    body: { app_id: 'gmail', name: 'Work' },
  });
  assert.deepEqual([response.status, error?.data.code], [status, code]);
}
console.log(`openapi-fetch: seven operations and ${Object.keys(codes).length} codes`);
