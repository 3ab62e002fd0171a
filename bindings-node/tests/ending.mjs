// How processes and workers end: by themselves when the work is done, at once under `process.exit`, and cleanly when
// a worker is terminated with calls in flight.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { folder } from './support.mjs';
import { stub, success, TOKEN } from './stub.mjs';

const ROUNDS = 150;
const service = await stub(({ url }) => (url.includes('hang') ? undefined : success(TOKEN)));
const preamble = `
  const { PabblyConnectPlatform } = require('@pabbly/connect-platform');
  const pc = new PabblyConnectPlatform({ apiKey: 'pk_live_x', baseUrl: '${service.baseUrl}' });
  const call = (id) => pc.getToken('alice@example.com', id);
`;

/** Runs a program and gives how it ended and what it printed. */
async function run(program) {
  const child = spawn(process.execPath, ['-e', program], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'], timeout: 60_000 });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  const [code, signal] = await once(child, 'close');
  return { code, signal, output: output.trim() };
}
const ended = (output, code = 0) => ({ code, signal: null, output });

// The process ends when the work does, and not before.
assert.deepEqual(await run(`${preamble} call('c').then((token) => console.log(token.auth_type))`), ended('o_auth'));
assert.deepEqual(await run(preamble), ended(''));
assert.deepEqual(
  await run(`${preamble}
    const controller = new AbortController();
    pc.getToken('alice@example.com', 'hang', { signal: controller.signal }).catch(() => console.log('aborted'));
    setTimeout(() => controller.abort(), 50);`),
  ended('aborted'),
);
// A call that is started when another ends keeps it alive too.
assert.deepEqual(await run(`${preamble} call('c').then(() => call('c')).then(() => call('c')).then(() => console.log('three'))`), ended('three'));
// An open connection does not keep it alive, and a closed client with calls in flight does not either.
assert.deepEqual(await run(`${preamble} call('hang').catch((error) => console.log(error.name)); setTimeout(() => pc.close(), 50)`), ended('CancelledError'));
console.log('  the process ends when the work does');

// process.exit in flight, at different moments.
for (const delay of [0, 1, 5, 20, 60]) {
  const program = `${preamble}
    for (let i = 0; i < 50; i++) { call('hang').catch(() => {}); (async () => { for (;;) await call('c'); })().catch(() => {}); }
    setTimeout(() => process.exit(7), ${delay});`;
  for (let i = 0; i < 4; i++) assert.deepEqual(await run(program), ended('', 7));
}
assert.deepEqual(await run(`${preamble} call('c').then(() => { call('hang'); process.exit(3); })`), ended('', 3));
assert.deepEqual(await run(`${preamble} call('hang').catch(() => {}); setTimeout(() => { throw new Error('uncaught') }, 20); process.on('uncaughtException', () => process.exit(4))`), ended('', 4));
console.log('  process.exit in flight ends the process at once');

// Workers that are terminated in flight, many times; the main thread has its own calls in one program and does not
// even load the SDK in the other, so that the last one to use the library is a worker.
const workers = (main) => `
  const { Worker } = require('node:worker_threads');
  ${main}
  const code = ${JSON.stringify(`${preamble}
    const { parentPort } = require('node:worker_threads');
    for (let i = 0; i < 20; i++) { call('hang').catch(() => {}); (async () => { for (;;) await call('c'); })().catch(() => {}); }
    parentPort.postMessage('started');`)};
  (async () => {
    for (let round = 0; round < ${ROUNDS}; round++) {
      const worker = new Worker(code, { eval: true });
      await new Promise((resolve, reject) => { worker.once('message', resolve); worker.once('error', reject); });
      await new Promise((resolve) => setTimeout(resolve, round % 10));
      if (round % 3 === 2) worker.postMessage('unheard');
      await worker.terminate();
    }
    ${main && "console.log((await call('c')).auth_type);"}
    console.log('${ROUNDS} workers');
  })();`;
assert.deepEqual(await run(workers('')), ended(`${ROUNDS} workers`));
assert.deepEqual(await run(workers(preamble)), ended(`o_auth\n${ROUNDS} workers`));
// Several at once, some of which end by themselves.
assert.deepEqual(
  await run(`
    const { Worker } = require('node:worker_threads');
    const code = (end) => ${JSON.stringify(preamble)} + "Promise.all(Array.from({ length: 50 }, () => call('c'))).then(" + end + ")";
    (async () => {
      for (let round = 0; round < 10; round++) {
        const all = ['() => {}', '() => process.exit()', "() => { call('hang').catch(() => {}); process.exit() }", '() => {}'].map((end) => new Worker(code(end), { eval: true }));
        await Promise.all(all.map((worker) => new Promise((resolve, reject) => { worker.once('exit', resolve); worker.once('error', reject); })));
      }
      console.log('all ended');
    })();`),
  ended('all ended'),
);
console.log(`  ${2 * ROUNDS} workers were terminated in flight`);
service.close();
