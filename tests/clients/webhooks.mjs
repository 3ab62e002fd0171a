// What the service sends to a webhook endpoint, as the package `standardwebhooks` of npm verifies it.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

const received = [];
const endpoint = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  received.push({ body, headers: request.headers });
  response.writeHead(204).end();
});
await new Promise((resolve) => endpoint.listen(0, '127.0.0.1', resolve));

/** A POST with the tenant's key; gives the answer's `data`. */
async function call(path, body) {
  const response = await fetch(process.env.PC_BASE_URL + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${process.env.PC_TENANT_KEY}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  assert.equal(response.status, 200);
  return (await response.json()).data;
}

const made = await call('/webhooks', { url: `http://127.0.0.1:${endpoint.address().port}/hook` });
assert.equal((await call(`/webhooks/${made.id}/test`)).status, 204);
const { secret } = await call(`/webhooks/${made.id}/rotate-secret`);
assert.equal((await call(`/webhooks/${made.id}/test`)).status, 204);

const [first, second] = received;
assert.equal(JSON.parse(first.body).type, 'webhook.test');
assert.deepEqual(new Webhook(made.secret).verify(first.body, first.headers), JSON.parse(first.body));
for (const one of [made.secret, secret]) new Webhook(one).verify(second.body, second.headers);
assert.throws(() => new Webhook(secret).verify(first.body, first.headers));
assert.throws(() => new Webhook(secret).verify(`${second.body} `, second.headers));
endpoint.close();
endpoint.closeAllConnections();
console.log('webhooks: the package of npm verifies what is sent');
