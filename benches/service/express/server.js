// What a team would write itself: a token endpoint in Express over PostgreSQL, by the book. The key's digest, the tenant and
// the customer are in the one query, and the token is encrypted at rest. There is no refresh, audit, budget or time limit.
//
// It prints its base URL and its process id as one line of JSON and ends when its standard input does.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import express from 'express';
import pg from 'pg';

const secret = randomBytes(32);
const digest = (key) => createHash('sha256').update(key).digest('hex');

function seal(text) {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', secret, nonce);
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]).toString('base64');
}

function open(sealed) {
  const bytes = Buffer.from(sealed, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, 12)).setAuthTag(bytes.subarray(-16));
  return decipher.update(bytes.subarray(12, -16)) + decipher.final('utf8');
}

const pool = new pg.Pool({ connectionString: process.env.CONNECT_TEST_POSTGRES_URL, max: 16 });
await pool.query(`CREATE TABLE IF NOT EXISTS express_tokens (
  id TEXT PRIMARY KEY, key_digest TEXT NOT NULL, customer TEXT NOT NULL, sealed TEXT NOT NULL, expires_at BIGINT NOT NULL)`);
await pool.query('INSERT INTO express_tokens VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET sealed = $4', [
  'conn_1', digest('pk_live_bench'), 'alice@example.com', seal(randomBytes(64).toString('hex')), Date.now() + 86_400_000,
]);

const app = express();
app.post('/platform/v1/connections/:id/token', async (request, response) => {
  const key = request.get('authorization')?.replace(/^Bearer /, '') ?? '';
  const { rows } = await pool.query({
    name: 'token',
    text: 'SELECT sealed, expires_at FROM express_tokens WHERE id = $1 AND key_digest = $2 AND customer = $3',
    values: [request.params.id, digest(key), request.get('x-user-email')],
  });
  if (rows.length === 0) {
    response.status(404).json({ status: 'error', message: 'Unknown connection', data: { code: 'connection_deleted' } });
    return;
  }
  const expires_in = Math.floor((rows[0].expires_at - Date.now()) / 1000);
  const data = { access_token: open(rows[0].sealed), token_type: 'Bearer', expires_in, auth_type: 'o_auth' };
  response.json({ status: 'success', message: 'ok', data });
});

const server = app.listen(0, '127.0.0.1', () => {
  const base_url = `http://127.0.0.1:${server.address().port}/platform/v1`;
  console.log(JSON.stringify({ base_url, pid: process.pid }));
});
process.stdin.on('end', () => process.exit(0)).resume();
