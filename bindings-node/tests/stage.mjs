// The real service with a tenant's key, an OAuth provider that says yes to everybody, and somebody who plays customers.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program, started } from './support.mjs';

/** Starts everything. `tokenBudget` is how many tokens the tenant may ask for in a minute. */
export async function stage({ tokenBudget = 100_000 } = {}) {
  const provider = await startProvider();
  const home = mkdtempSync(join(tmpdir(), 'connect-'));
  const configuration = join(home, 'connect.toml');
  writeFileSync(configuration, `
listen = "127.0.0.1:0"
database_url = "sqlite://${home}/connect.db"
key_file = "${home}/connect.key"
allow_private_networks = true
[budgets]
token = ${tokenBudget}
default = 100000
status = 100000
verification = 0 # its keys are no real ones
[apps.gmail]
client_id = "client"
client_secret = "secret"
authorization_url = "${provider.url}/authorize"
token_url = "${provider.url}/token"
scopes = ["mail"]
`);
  const binary = program('connect-service', 'connect-service');
  const administer = (...args) => execFileSync(binary, ['--config', configuration, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  const tenant = administer('tenant', 'create', 'Example Ltd');
  const key = administer('key', 'create', '--tenant', tenant, '--capabilities', 'apps,connections,token,delete,admin');
  const { child, line } = await started(binary, ['--config', configuration, 'serve'], { stdio: ['ignore', 'pipe', 'ignore'] });
  child.stdout.resume();
  const baseUrl = `${line.replace('listening on ', '')}/platform/v1`;
  return {
    baseUrl,
    key,
    provider,
    connect,
    async close() {
      provider.close();
      child.kill();
      await once(child, 'exit');
      rmSync(home, { recursive: true });
    },
  };
}

/** Consents at once. Where `revoked` is set, its tokens are short-lived and cannot be refreshed. */
async function startProvider() {
  const provider = { revoked: false };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const url = new URL(request.url, 'http://provider');
    if (url.pathname === '/authorize') {
      const answer = new URLSearchParams({ code: 'code', state: url.searchParams.get('state') });
      response.writeHead(302, { location: `${url.searchParams.get('redirect_uri')}?${answer}` }).end();
      return;
    }
    const refused = provider.revoked && body.includes('refresh_token');
    const answer = refused
      ? { error: 'invalid_grant' }
      : { access_token: 'ya29.secret', refresh_token: '1//secret', token_type: 'Bearer', expires_in: provider.revoked ? 1 : 3600 };
    response.writeHead(refused ? 400 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  provider.url = `http://127.0.0.1:${server.address().port}`;
  provider.close = () => (server.close(), server.closeAllConnections());
  return provider;
}

/** Does what a customer does on the hosted page: fills in its form, and presses the button that goes on. */
export async function connect({ request_link }) {
  const cookies = new Map();
  const visit = async (url, init = {}) => {
    const cookie = [...cookies].map((pair) => pair.join('=')).join('; ');
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { ...init.headers, ...(cookie && { cookie }) } });
    for (const set of response.headers.getSetCookie()) {
      const [name, value] = set.split(';')[0].split('=');
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location) return visit(new URL(location, url));
    const page = await response.text();
    if (!response.ok) throw new Error(`${url}: ${response.status} ${page}`);
    return page;
  };
  const page = await visit(request_link);
  const filled = new URLSearchParams({ action: 'connect' });
  for (const [input] of page.matchAll(/<input [^>]*>/g)) {
    const attribute = (name) => new RegExp(` ${name}="([^"]*)"`).exec(input)?.[1];
    filled.append(attribute('name'), attribute('value') || 'secret');
  }
  const { origin } = new URL(request_link);
  await visit(request_link, { method: 'POST', body: filled, headers: { origin } });
}
