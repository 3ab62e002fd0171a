"""The interpreter ends at once and without a crash, whatever is under way."""

import concurrent.futures
import os
import subprocess
import sys
import time

import pytest

RUNS = 300
EMAIL = "'alice@example.com'"

PROGRAMS = {
    "finished": f"""
        client.get_token({EMAIL}, "conn_1")
        asyncio.run(many({EMAIL}, "conn_1"))
    """,
    "left open": f"""
        loop = asyncio.new_event_loop()
        loop.run_until_complete(many({EMAIL}, "conn_1"))
    """,
    "in flight": f"""
        loop = asyncio.new_event_loop()
        tasks = [loop.create_task(many({EMAIL}, kind)) for kind in ("hang_1", "slow_1", "conn_1")]
        loop.run_until_complete(asyncio.sleep(0.01))
        warnings.simplefilter("ignore")
        sys.stderr = open(os.devnull, "w")
    """,
    "daemon threads": f"""
        def work():
            while True:
                client.get_token({EMAIL}, "conn_1")
        def wait():
            client.get_token({EMAIL}, "hang_1")
        def loop():
            while True:
                asyncio.run(many({EMAIL}, "conn_1"))
        for target in (work, work, wait, loop):
            threading.Thread(target=target, daemon=True).start()
        time.sleep(0.02)
    """,
    "os._exit": f"""
        threading.Thread(target=client.get_token, args=({EMAIL}, "slow_1"), daemon=True).start()
        asyncio.run(many({EMAIL}, "conn_1"))
        os._exit(0)
    """,
    "exception": f"""
        client.get_token({EMAIL}, "conn_1")
        threading.Thread(target=client.get_token, args=({EMAIL}, "hang_1"), daemon=True).start()
        sys.exit(0)
    """,
}

HEAD = """
import asyncio, os, sys, threading, time, warnings
import pabbly_connect
client = pabbly_connect.PabblyConnectPlatform()
async_client = pabbly_connect.AsyncPabblyConnectPlatform()
async def many(email, connection):
    await asyncio.gather(*(async_client.get_token(email, connection) for _ in range(10)))
"""


def program(name):
    return HEAD + "\n".join(line.removeprefix(" " * 8) for line in PROGRAMS[name].splitlines())


def run(name):
    start = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", program(name)], capture_output=True, text=True, timeout=60)
    return name, ended.returncode, ended.stderr, time.monotonic() - start


def test_the_interpreter_ends_well(server):
    names = [list(PROGRAMS)[number % len(PROGRAMS)] for number in range(RUNS)]
    with concurrent.futures.ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        ended = list(pool.map(run, names))
    bad = [
        (name, code, text) for name, code, text, _ in ended if code != 0 or "Traceback" in text or "panicked" in text
    ]
    assert not bad, f"{len(bad)} of {RUNS}: {bad[:3]}"
    assert len(ended) == RUNS
    print(f"{RUNS} exits, the longest run took {max(seconds for *_, seconds in ended):.1f} s")


def test_a_module_that_is_imported_and_never_used(server):
    subprocess.run([sys.executable, "-c", "import pabbly_connect"], check=True, timeout=60)


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_are_python(name):
    compile(program(name), name, "exec")
