// 100,000 calls, with answers, errors and aborts mixed: memory stays flat after warm-up, no handle stays open, and the
// process ends by itself.
//
//   node --expose-gc tests/soak.mjs
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PabblyConnectPlatform } from '@pabbly/connect-platform';
import { failing, stub, success, TOKEN } from './stub.mjs';

const CALLS = 100_000;
const WARM_UP = 30_000;
const AT_ONCE = 64;
/** What memory may grow by after the warm-up: allocators and the engine breathe. */
const MOST_GROWTH = 16 << 20;
const alice = 'alice@example.com';

if (process.argv[2] === 'service') {
  const service = await stub(({ url }) => {
    if (url.includes('hang')) return undefined;
    if (url.includes('gone')) return failing(404, 'connection_deleted');
    if (url.startsWith('/apps')) return success({ apps: [{ id: 'gmail', name: 'Gmail' }], page: 1, limit: 1, total: 1 });
    return success(TOKEN);
  });
  process.send(service.baseUrl);
  process.on('disconnect', () => process.exit());
} else {
  const child = fork(fileURLToPath(import.meta.url), ['service'], { execArgv: [] });
  const [baseUrl] = await once(child, 'message');
  process.on('warning', (warning) => assert.fail(warning)); // Such as too many listeners on one signal.
  const told = { count: 0 };
  const pc = new PabblyConnectPlatform({ apiKey: 'pk_live_x', baseUrl });
  const listening = new PabblyConnectPlatform({ apiKey: 'pk_live_x', baseUrl, onResponse: () => (told.count += 1) });
  const shared = new AbortController().signal; // Lives as long as the program: listeners would pile up on it.
  const ends = { answers: 0, errors: 0, aborts: 0 };

  async function call(number) {
    const controller = new AbortController();
    try {
      switch (number % 8) {
        case 0:
          setTimeout(() => controller.abort('aborted'), 1);
          await pc.getToken(alice, 'hang', { signal: controller.signal });
          break;
        case 1: {
          const running = pc.getToken(alice, 'c', { signal: controller.signal });
          controller.abort('aborted');
          await running;
          break;
        }
        case 2:
          await pc.getToken(alice, 'gone');
          break;
        case 3:
          for await (const app of listening.listApps({ limit: 1 })) assert.equal(app.id, 'gmail');
          break;
        default:
          await (number % 2 ? pc : listening).getToken(alice, 'c', { signal: shared });
      }
      ends.answers += 1;
    } catch (error) {
      if (error === 'aborted') ends.aborts += 1;
      else if (error.code === 'connection_deleted') ends.errors += 1;
      else throw error;
    }
  }

  const memory = () => (globalThis.gc(), process.memoryUsage.rss());
  let next = 0;
  const until = async (count) => {
    const worker = async () => { while (next < count) await call(next++); };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return memory();
  };
  const before = await until(WARM_UP);
  const sizes = [];
  for (let count = WARM_UP + 10_000; count <= CALLS; count += 10_000) sizes.push(await until(count));
  assert.deepEqual(ends, { answers: (CALLS / 8) * 5, errors: CALLS / 8, aborts: CALLS / 4 });
  assert.ok(told.count > 0);
  const mebibytes = (bytes) => (bytes / (1 << 20)).toFixed(1);
  console.log(`  ${CALLS} calls; MiB after warm-up: ${mebibytes(before)}, then ${sizes.map(mebibytes).join(', ')}`);
  assert.ok(Math.min(...sizes.slice(-3)) - before < MOST_GROWTH, 'memory grows');

  child.disconnect();
  await once(child, 'exit');
  // Node takes a moment to forget the child; its own streams and this very timer do not count.
  const ours = ['TTYWrap', 'PipeWrap', 'FSReqCallback', 'Timeout'];
  let open;
  for (let i = 0; i < 200; i++) {
    open = process.getActiveResourcesInfo().filter((name) => !ours.includes(name));
    if (open.length === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.deepEqual(open, [], 'something is still open');
  setTimeout(() => { console.error('the process does not end by itself'); process.exit(1); }, 5000).unref();
}
