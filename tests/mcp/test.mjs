// The official MCP clients against the real service:
//
//     MCP_PYTHON=<python with requirements.txt> SERVICE_BIN=<connect-service> node --test test.mjs
//
// Each lists and calls every tool over both addresses, sees no secret, and is refused where it should be.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { CLIENTS } from './clients.mjs';

const ALICE = 'alice@example.com';
const OWNER = 'owner@acme.example';
const FIELD = 'canary-of-the-mcp-tests';
const TOOLS = ['search_apps', 'list_connections', 'create_connection_link', 'check_connection_status'];

const folder = mkdtempSync(join(tmpdir(), 'connect-mcp-'));
const binary = process.env.SERVICE_BIN;
const env = {
  PATH: process.env.PATH,
  CONNECT_LISTEN: '127.0.0.1:0',
  CONNECT_DATABASE_URL: `sqlite://${folder}/connect.db`,
  CONNECT_KEY_FILE: `${folder}/connect.key`,
  CONNECT_BUDGETS_DEFAULT: '100000',
  CONNECT_MCP_ALLOWED_ORIGINS: 'https://agents.example',
};
const cli = (...args) => execFileSync(binary, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();

let service;
let base;
let log = '';
let tenant;
const secrets = new Set();

function newKey(capabilities) {
  const key = cli('key', 'create', '--tenant', tenant, '--capabilities', capabilities);
  const keys = cli('--json', 'key', 'list', '--tenant', tenant).split('\n').map((line) => JSON.parse(line));
  const { id } = keys.find((listed) => listed.capabilities.join() === capabilities);
  secrets.add(key);
  return { key, id };
}

/** The path of a new MCP URL. The command cannot know which free port the service listens at, so it is told another. */
function newUrl(id) {
  const options = { env: { ...env, CONNECT_PUBLIC_URL: 'http://127.0.0.1:1' }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
  const path = new URL(execFileSync(binary, ['key', 'mcp-url', id], options).trim()).pathname;
  secrets.add(path.split('/').at(-1));
  return path;
}

const byHeader = (key, more = {}) => ({ url: `${base}/platform/v1/mcp`, headers: { Authorization: `Bearer ${key}`, 'x-user-email': ALICE, ...more } });
const byUrl = (path, more = {}) => ({ url: `${base}${path}`, headers: { ...more } });

async function call(method, path, headers, body) {
  const answer = await fetch(`${base}/platform/v1${path}`, { method, headers: { 'content-type': 'application/json', ...headers }, body: body && JSON.stringify(body) });
  const { data } = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(data));
  return data;
}

/** A connection of this customer that holds a credential. */
async function connect(key, email) {
  const headers = { authorization: `Bearer ${key}`, 'x-user-email': email };
  const link = await call('POST', '/connections/request-link', headers, { app_id: 'brevo', name: 'Canary mail' });
  const form = { auth_option_key: 'header', fields: { api_key: FIELD } };
  const { status } = await call('POST', `/connections/${link.connection_id}/submit`, { 'x-request-token': link.request_token }, form);
  assert.equal(status, 'active');
  return link.connection_id;
}

let full;
let path;
const connected = {};

before(async () => {
  tenant = cli('tenant', 'create', 'Acme', '--email', OWNER);
  full = newKey('apps,connections,token,delete');
  path = newUrl(full.id);
  service = spawn(binary, ['serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  service.stderr.on('data', (text) => (log += text));
  base = await new Promise((resolve) => createInterface(service.stdout).once('line', (line) => resolve(line.replace('listening on ', ''))));
  for (const email of [ALICE, OWNER]) connected[email] = await connect(full.key, email);
});

after(() => {
  service.kill('SIGTERM');
  rmSync(folder, { recursive: true });
});

function suite(name, client) {
  describe(name, { concurrency: 1 }, () => {
    for (const [way, email] of [['by key', ALICE], ['by URL', OWNER]]) {
      it(`lists and calls every tool ${way}`, async () => {
        const target = way === 'by key' ? byHeader(full.key) : byUrl(path);
        const id = connected[email];
        const first = await client({
          ...target,
          calls: [
            { name: 'search_apps', arguments: { search: 'brevo', connectable: true } },
            { name: 'list_connections', arguments: { app_id: 'brevo', limit: 100 } },
            { name: 'create_connection_link', arguments: { app_id: 'sendgrid', name: 'Work Mail' } },
            { name: 'check_connection_status', arguments: { connection_id: id } },
          ],
        });
        assert.equal(first.error, undefined);
        assert.deepEqual(first.tools.map((tool) => tool.name), TOOLS);
        for (const tool of first.tools) {
          assert.ok(tool.description && tool.annotations.title, tool.name);
          assert.equal(tool.inputSchema.type, 'object');
          assert.equal(tool.inputSchema.additionalProperties, false);
          assert.equal(tool.outputSchema.type, 'object');
          assert.equal(tool.annotations.readOnlyHint, tool.name !== 'create_connection_link');
          assert.equal(tool.annotations.destructiveHint, false);
        }
        assert.ok(first.results.every((result) => !result.isError), JSON.stringify(first.results));
        const [apps, connections, link, status] = first.results.map((result) => result.structuredContent);
        assert.deepEqual(apps.apps.map((app) => app.id), ['brevo']);
        assert.deepEqual(connections.connections.map((connection) => [connection.id, connection.status]), [[id, 'active']]);
        assert.ok(link.request_link.startsWith(`${base}/platform/v1/connect/`));
        assert.deepEqual(link.app, { id: 'sendgrid', name: 'SendGrid' });
        assert.equal(status.connection.status, 'active');
        secrets.add(link.request_link.split('/').at(-1));

        // The link that was made is this account's, and belongs to a page that customers can open.
        const second = await client({
          ...target,
          calls: [
            { name: 'check_connection_status', arguments: { connection_id: link.connection_id, wait_seconds: 1 } },
            { name: 'check_connection_status', arguments: { connection_id: connected[email === ALICE ? OWNER : ALICE] } },
            { name: 'create_connection_link', arguments: { app_id: 'no-such-app' } },
            { name: 'list_connections', arguments: { limit: 101 } },
          ],
        });
        const [pending, anothers, unknown, wrong] = second.results;
        assert.equal(pending.structuredContent.connection.status, 'pending');
        for (const [result, text] of [[anothers, /list_connections/], [unknown, /search_apps/], [wrong, /100/]]) {
          assert.equal(result.isError, true);
          assert.match(result.content[0].text, text);
        }
        assert.equal((await fetch(link.request_link)).status, 200);

        const seen = JSON.stringify([first, second]);
        for (const secret of ['request_token', 'rt_', 'status_url', FIELD, full.key]) assert.ok(!seen.includes(secret), secret);
      });

      it(`is refused ${way} from a foreign origin, and let in from an allowed one`, async () => {
        const target = (more) => ({ ...(way === 'by key' ? byHeader(full.key, more) : byUrl(path, more)), calls: [] });
        assert.match((await client(target({ Origin: 'https://evil.example' }))).error, /403|origin_not_allowed/);
        assert.equal((await client(target({ Origin: 'https://agents.example' }))).tools.length, 4);
      });
    }

    it('is refused without a key, with an unknown URL and without a customer', async () => {
      const { url, headers } = byHeader('pk_live_unknown');
      for (const target of [{ url, headers: { 'x-user-email': ALICE } }, { url, headers }, byUrl('/platform/v1/mcp/mcp_unknown')]) {
        assert.match((await client({ ...target, calls: [] })).error, /401|invalid_api_key|auth_required/);
      }
      const nobody = await client({ url, headers: { Authorization: `Bearer ${full.key}` }, calls: [] });
      assert.match(nobody.error, /invalid_user_email|x-user-email/);
    });

    it('is refused with a revoked key, with its URL, and with a revoked URL', async () => {
      const { key, id } = newKey('apps');
      const old = newUrl(id);
      const current = newUrl(id);
      const tools = async (target) => client({ ...target, calls: [] });
      assert.match((await tools(byUrl(old))).error, /401|invalid_api_key|auth_required/);
      for (const target of [byHeader(key), byUrl(current)]) {
        assert.deepEqual((await tools(target)).tools.map((tool) => tool.name), ['search_apps']);
      }
      cli('key', 'revoke', id);
      for (const target of [byHeader(key), byUrl(current)]) {
        assert.match((await tools(target)).error, /401|invalid_api_key|auth_required/);
      }
    });

    it('sees the tools that the key opens, and is told what the others need', async () => {
      const { key, id } = newKey('apps,token');
      const { tools, results, error } = await client({ ...byHeader(key), calls: [{ name: 'search_apps', arguments: {} }] });
      assert.equal(error, undefined);
      assert.deepEqual(tools.map((tool) => tool.name), ['search_apps']);
      assert.equal(results[0].structuredContent.page, 1);
      if (name !== 'inspector') {
        // The inspector calls no tool that is not listed.
        const { results } = await client({ ...byHeader(key), calls: [{ name: 'list_connections', arguments: {} }] });
        assert.equal(results[0].isError, true);
        assert.match(results[0].content[0].text, /capability connections/);
      }
      cli('key', 'revoke', id);
    });
  });
}

describe('official clients', { concurrency: true }, () => {
  for (const [name, client] of Object.entries(CLIENTS)) suite(name, client);
});

it('no secret of all that stands in the log', () => {
  assert.ok(log.includes('"route":"/platform/v1/mcp/{mcp_url_token}"'), 'the log is there');
  for (const secret of [...secrets, ALICE, OWNER, FIELD, 'rt_']) assert.ok(!log.includes(secret), secret.slice(0, 12));
});
