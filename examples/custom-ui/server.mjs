// The backend of a product that shows the connection form itself. It holds the tenant key; the page gets a link and no more.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { PabblyConnectPlatform } from '@pabbly/connect-platform';

const pc = new PabblyConnectPlatform(); // PC_TENANT_KEY and PC_BASE_URL, as `connect-service dev` prints them
const platform = new URL(process.env.PC_BASE_URL ?? 'https://connect.pabbly.com/platform/v1').origin;

// In your product: whoever is signed in, by the session's cookie. Never an address that the page sends.
const customerOf = (_request) => 'alice@example.com';

const files = {
  '/': ['text/html; charset=utf-8', new URL('public/index.html', import.meta.url)],
  '/app.js': ['text/javascript', new URL('public/app.js', import.meta.url)],
  '/style.css': ['text/css', new URL('public/style.css', import.meta.url)],
  '/connect-browser.mjs': ['text/javascript', new URL(import.meta.resolve('@pabbly/connect-browser/custom'))],
};

const server = createServer(async (request, response) => {
  try {
    await respond(request, response);
  } catch (error) {
    console.error(error);
    response.writeHead(502).end();
  }
});

async function respond(request, response) {
  const { pathname } = new URL(request.url, 'http://unused');
  const [type, file] = files[pathname] ?? [];
  if (request.method === 'GET' && file) {
    response.writeHead(200, {
      'content-type': type,
      'content-security-policy': `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ${platform}`,
    });
    response.end(await readFile(fileURLToPath(file)));
  } else if (request.method === 'POST' && pathname === '/api/link') {
    // Only the product's own page makes links in the customer's name.
    if (request.headers['sec-fetch-site'] !== 'same-origin') return response.writeHead(403).end();
    const link = await pc.createRequestLink(customerOf(request), {
      name: 'Work',
      allowedApps: ['gmail', 'sendgrid'],
      // No other page may submit the form. OAuth goes straight to the provider where this is the website that the
      // operator has entered; `connect-service dev` takes pages of this machine.
      allowedOrigin: origin(),
    });
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(JSON.stringify(link));
  } else {
    response.writeHead(404).end();
  }
}

const origin = () => `http://localhost:${server.address().port}`;

server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => console.log(`listening on ${origin()}`));
