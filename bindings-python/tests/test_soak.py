"""Many calls, many of them cancelled: what they took is given back."""

import asyncio
import gc
import os
import random
import threading

import pabbly_connect as p
from conftest import EMAIL

CALLS = 100_000
ROUNDS = 10
AT_ONCE = 64


def memory():
    """Give the resident set in KiB."""
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


async def calls(client, number, cancelled):
    """Make calls; of those to the slow connection some are cancelled at any moment."""
    dice = random.Random(number)

    async def worker():
        nonlocal number
        while number > 0:
            number -= 1
            if dice.random() < 0.1:
                task = asyncio.ensure_future(client.get_token(EMAIL, dice.choice(["slow_1", "conn_1", "hang_1"])))
                await asyncio.sleep(dice.choice([0, 0, 0.001, 0.01]))
                task.cancel()
                cancelled.append((await asyncio.gather(task, return_exceptions=True))[0])
            else:
                await client.get_token(EMAIL, "conn_1")

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


def test_100_000_calls_with_cancellations(server):
    client = p.AsyncPabblyConnectPlatform()
    sizes, cancellations = [], 0
    for _ in range(ROUNDS):
        cancelled = []
        asyncio.run(calls(client, CALLS // ROUNDS, cancelled))
        cancellations += sum(isinstance(end, asyncio.CancelledError) for end in cancelled)
        del cancelled
        sizes.append(memory())
        # Given up requests do not stay open.
        server.wait_for(lambda counters: counters["hanging"] == 0)
    files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    print(f"{CALLS} calls, {cancellations} cancelled, KiB: {sizes}, {files} files, {threads} threads")
    assert cancellations > CALLS // 50
    # The first rounds warm allocators and pools up. From then on a leak of 100 bytes a call would show.
    grown = sizes[-1] - sizes[2]
    assert grown < 100 * CALLS * (ROUNDS - 3) / ROUNDS / 1024, sizes
    asyncio.run(client.close())
    server.wait_for(lambda counters: counters["open"] == 1)


def test_blocking_calls_keep_nothing(server):
    with p.PabblyConnectPlatform() as client:
        sizes = []
        for _ in range(5):
            for _ in range(4000):
                client.get_token(EMAIL, "conn_1")
            sizes.append(memory())
        assert sizes[-1] - sizes[1] < 600, sizes
