// Does one kind of work with one peer, as the peer's user would write it: each line of stdin asks for so many
// calls, and is answered by what they cost, as one line of JSON.
'use strict';
const { createInterface } = require('node:readline');
const { setTimeout: sleep } = require('node:timers/promises');

const [name] = process.argv.slice(2);
const { BENCH_BASE_URL: base, BENCH_WORK: work, PC_TENANT_KEY: key } = process.env;
const inFlight = Number(process.env.BENCH_IN_FLIGHT ?? 1);

const EMAIL = 'alice@example.com';
const INTERVAL_MS = 100;
const headers = (email) => ({ authorization: `Bearer ${key}`, 'x-user-email': email });

/** What a client of HTTP is asked for, made of one function that gives the parsed body. */
const plain = (ask) => ({
  token: async () => (await ask('POST', '/connections/conn_1/token', EMAIL)).data,
  list: async () => (await ask('GET', '/apps?limit=50', EMAIL)).data,
  async wait(email, id) {
    for (;;) {
      const { data } = await ask('GET', `/connections/${id}`, email);
      if (data.status !== 'pending') return data;
      await sleep(INTERVAL_MS);
    }
  },
});

/** Each peer: the package that is loaded, and how a client is made of it. */
const PEERS = {
  '@pabbly/connect-platform': ['@pabbly/connect-platform', ({ PabblyConnectPlatform }) => {
    const caCertificates = base.startsWith('https:') ? require('node:fs').readFileSync(process.env.BENCH_CA, 'utf8') : undefined;
    // The work has far more waits than a tenant's budget allows.
    const pc = new PabblyConnectPlatform({ baseUrl: base, apiKey: key, caCertificates, requestsPerMinute: 1e9 });
    return {
      token: () => pc.getToken(EMAIL, 'conn_1'),
      list: () => pc.listApps({ limit: 50 }),
      wait: (email, id) => pc.waitForConnection(email, id, { intervalMs: INTERVAL_MS }),
    };
  }],
  undici: ['undici', ({ Pool }) => {
    const { origin, pathname } = new URL(base);
    const pool = new Pool(origin);
    return plain(async (method, path, email) => {
      const { statusCode, body } = await pool.request({ method, path: pathname + path, headers: headers(email) });
      if (statusCode !== 200) throw new Error(`status ${statusCode}`);
      return body.json();
    });
  }],
  fetch: [undefined, () => plain(async (method, path, email) => {
    const response = await fetch(base + path, { method, headers: headers(email) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return response.json();
  })],
  axios: ['axios', (axios) => {
    const client = axios.create({ baseURL: base });
    return plain(async (method, url, email) => (await client.request({ method, url, headers: headers(email) })).data);
  }],
  openai: ['openai', ({ OpenAI }) => {
    const client = new OpenAI({ apiKey: key, baseURL: base });
    return plain((method, path, email) => client[method.toLowerCase()](path, { headers: { 'x-user-email': email } }));
  }],
  stripe: ['stripe', (Stripe) => {
    const { protocol, hostname, port, pathname } = new URL(base);
    const client = new Stripe(key, { protocol: protocol.slice(0, -1), host: hostname, port });
    return plain((method, path, email) => {
      return client.rawRequest(method, pathname + path, undefined, { additionalHeaders: { 'x-user-email': email } });
    });
  }],
};

const [library, make] = PEERS[name];
const WORKS = {
  async token(client) {
    const { access_token: token } = await client.token();
    if (typeof token !== 'string' || token.length < 10) throw new Error('no access token');
  },
  async list(client) {
    const { apps } = await client.list();
    if (apps.length !== 50) throw new Error(`${apps.length} apps`);
  },
  async wait(client, number) {
    // Each with a customer of its own, so that no list answers for several.
    const { status } = await client.wait(`customer-${number}@example.com`, `conn_${number}`);
    if (status !== 'active') throw new Error(`the wait ended with ${status}`);
  },
};

let number = 0;
/** Does some work many times, so many at once. */
async function repeat(once, times) {
  const one = async () => {
    while (times > 0) {
      times -= 1;
      await once((number += 1));
    }
  };
  await Promise.all(Array.from({ length: inFlight }, one));
}

/** What the process used while it did something, in microseconds. */
async function measured(action) {
  const [cpu, start] = [process.cpuUsage(), process.hrtime.bigint()];
  await action();
  const { user, system } = process.cpuUsage(cpu);
  return { cpu_us: user + system, wall_us: Number(process.hrtime.bigint() - start) / 1000 };
}

const load = () => (library ? require(library) : undefined);

/** What can be measured: made once, and then asked for so many calls at a time. */
function measurement() {
  if (work === 'import') return () => measured(load);
  const loaded = load();
  if (work === 'first') return () => measured(() => WORKS.token(make(loaded)));
  let once = () => make(loaded);
  if (work !== 'construct') {
    const client = make(loaded);
    once = (number) => WORKS[work](client, number);
  }
  return async (calls) => {
    // Each caller has its connection before the clock runs.
    await repeat(once, Math.max(Math.ceil(calls / 10), inFlight));
    return measured(() => repeat(once, calls));
  };
}

/** The version of a package, read from beside its code, since not all packages hand out their manifest. */
function version() {
  if (!library) return process.version;
  const path = require.resolve(library);
  const folder = path.slice(0, path.lastIndexOf(`node_modules/${library}/`));
  return require(`${folder}node_modules/${library}/package.json`).version;
}

async function main() {
  let rssAtStart, measure;
  for await (const line of createInterface({ input: process.stdin })) {
    // Before anything is there that is not Node's own.
    rssAtStart ??= process.memoryUsage.rss();
    measure ??= measurement();
    const calls = ['import', 'first'].includes(work) ? 1 : Number(line);
    const used = await measure(calls);
    const rss = process.memoryUsage.rss();
    console.log(JSON.stringify({
      peer: name,
      version: version(),
      calls,
      ...used,
      rss_kib: rss / 1024,
      rss_start_kib: rssAtStart / 1024,
      peak_kib: process.resourceUsage().maxRSS,
    }));
  }
  process.exit();
}

main();
