// A thousand waits in one process, half of which are cancelled by one signal.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { PabblyConnectPlatform } from '@pabbly/connect-platform';
import { stub, success } from './stub.mjs';

const WAITS = 1000;

it('cancels half of a thousand waits at once, and polls them no more', { timeout: 120_000 }, async () => {
  const polls = new Map();
  const polled = (id) => polls.get(id) ?? 0;
  let status = 'pending';
  const service = await stub(({ url }) => {
    const id = url.split('/').at(-1);
    polls.set(id, polled(id) + 1);
    return success({ id, status });
  });
  process.on('warning', (warning) => assert.fail(warning)); // Such as too many listeners on one signal.
  /** Until each of these was polled so many times more than before. */
  const more = async (ids, times) => {
    const wanted = ids.map((id) => [id, polled(id) + times]);
    while (!wanted.every(([id, count]) => polled(id) >= count)) await new Promise((resolve) => setTimeout(resolve, 20));
  };

  const pc = new PabblyConnectPlatform({ apiKey: 'pk_live_x', baseUrl: service.baseUrl, requestsPerMinute: 1_000_000 });
  const controller = new AbortController();
  const ids = Array.from({ length: WAITS }, (_, number) => `conn_${number}`);
  const [cancelled, others] = [ids.slice(0, WAITS / 2), ids.slice(WAITS / 2)];
  const begin = (id, signal) => pc.waitForConnection(`${id}@example.com`, id, { intervalMs: 1000, signal });
  const ending = Promise.allSettled(cancelled.map((id) => begin(id, controller.signal)));
  const going = Promise.all(others.map((id) => begin(id)));
  await more(ids, 1);

  controller.abort();
  for (const end of await ending) assert.equal(end.reason.name, 'AbortError');
  await more(others, 2);
  const before = new Map(polls);
  await more(others, 4);
  // A request that was already on its way may have arrived meanwhile, but no other.
  const again = cancelled.filter((id) => polled(id) > before.get(id) + 1);
  assert.deepEqual(again, [], 'a wait was polled after it was cancelled');

  status = 'active';
  assert.ok((await going).every((connection) => connection.status === 'active'));
  service.close();
});
