// The npm package oidc-provider: PKCE required, refresh tokens rotate, a used one that comes back ends the whole grant. The
// tests start it, talk to it as any client would, and steer it under /test/.
//
//   node server.mjs            prints `listening on http://127.0.0.1:PORT`
//   POST /test/client          {client_id, client_secret, redirect_uri}, or several: registers them in the place of all others
//   POST /test/revoke          ends every grant given so far, as an account's security page would
//   GET  /test/stats           {refreshes, reuses}: refreshes that succeeded, used tokens that came back
//
// ACCESS_TOKEN_SECONDS sets how long an access token lives (default 3600).

import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const [major] = process.versions.node.split('.').map(Number);
if (major < 22) {
  console.error(`oidc-provider 9 needs Node 22 or newer, this is ${process.versions.node}`);
  process.exit(1);
}

const grants = new Set();
const stats = { refreshes: 0, reuses: 0 };
let provider;

function register(issuer, clients) {
  provider = new Provider(issuer, {
    clients: [clients].flat().map(({ client_id, client_secret, redirect_uri }) => ({
      client_id,
      client_secret,
      redirect_uris: [redirect_uri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: process.env.CLIENT_AUTH ?? 'client_secret_post',
    })),
    clockTolerance: 0,
    cookies: { keys: ['of no use outside a test'] },
    features: { revocation: { enabled: true } },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    pkce: { required: () => true },
    rotateRefreshToken: true,
    ttl: {
      AccessToken: Number(process.env.ACCESS_TOKEN_SECONDS ?? 3600),
      AuthorizationCode: 60, Grant: 3600, IdToken: 3600, Interaction: 600, RefreshToken: 3600, Session: 3600,
    },
  });
  provider.on('grant.success', (ctx) => {
    grants.add(ctx.oidc.entities.Grant.jti);
    if (ctx.oidc.params.grant_type === 'refresh_token') stats.refreshes += 1;
  });
  provider.on('grant.error', (_ctx, error) => {
    if (error.error_detail === 'refresh token already used') stats.reuses += 1;
  });
  provider.on('server_error', (_ctx, error) => console.error(error));
}

async function revokeAll() {
  for (const id of grants) await (await provider.Grant.find(id))?.destroy();
  grants.clear();
}

async function body(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return JSON.parse(text || '{}');
}

async function handle(request, response, issuer) {
  switch (`${request.method} ${request.url}`) {
    case 'POST /test/client': register(issuer, await body(request)); return response.writeHead(204).end();
    case 'POST /test/revoke': await revokeAll(); return response.writeHead(204).end();
    case 'GET /test/stats': return response.end(JSON.stringify(stats));
  }
  if (!provider) return response.writeHead(503).end('no client is registered yet');
  return provider.callback()(request, response);
}

const server = createServer((request, response) => {
  handle(request, response, `http://127.0.0.1:${server.address().port}`).catch((error) => {
    console.error(error);
    response.writeHead(500).end();
  });
});
server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
process.stdin.on('end', () => process.exit(0)).resume(); // ends with the test that started it
