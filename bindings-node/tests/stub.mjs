// A service that answers what a test tells it to, in this process.
import { once } from 'node:events';
import { createServer } from 'node:http';

/** The envelope of an answer. */
export const success = (data) => ({ status: 200, body: { status: 'success', message: 'ok', data } });
export const failing = (status, code, headers = {}) => ({
  status,
  headers,
  body: { status: 'error', message: `it is ${code}`, data: { code } },
});
export const TOKEN = { access_token: 'ya29.secret', token_type: 'Bearer', expires_in: 3599, auth_type: 'o_auth' };

/** Starts a stub; `answer(request)` gives `{status, headers, body}`, or nothing for an answer that never comes. */
export async function stub(answer) {
  const requests = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { method, url, headers } = request;
    const seen = { method, url, headers, body, gone: once(response, 'close') };
    requests.push(seen);
    const reply = await answer(seen);
    if (!reply) return;
    const text = JSON.stringify(reply.body);
    response.writeHead(reply.status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...reply.headers });
    response.end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => (server.close(), server.closeAllConnections());
  return { baseUrl: `http://127.0.0.1:${server.address().port}`, requests, close };
}
