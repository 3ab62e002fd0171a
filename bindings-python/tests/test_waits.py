"""A thousand waits in one process, half of which are cancelled at once."""

import asyncio
import json
import resource
from collections import Counter

import pabbly_connect as p
import pytest

WAITS = 1000


@pytest.fixture
def many_files():
    """Both ends of a thousand connections are in this process."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_half_of_a_thousand_waits_are_cancelled_at_once_and_polled_no_more(many_files):
    asyncio.run(main())


async def main():
    polls, arrived = Counter(), asyncio.Event()
    status = "pending"

    async def answer(reader, writer):
        while head := await reader.readuntil(b"\r\n\r\n"):
            connection = head.split(b" ", 2)[1].decode().rpartition("/")[2]
            polls[connection] += 1
            arrived.set()
            body = json.dumps({"data": {"id": connection, "status": status}}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    async def serve(reader, writer):
        try:
            await answer(reader, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            writer.close()

    async def more(ids, times):
        """Until each of these was polled so many times more than before."""
        wanted = {connection: polls[connection] + times for connection in ids}
        while any(polls[connection] < count for connection, count in wanted.items()):
            arrived.clear()
            await arrived.wait()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=WAITS)
    base_url = "http://127.0.0.1:%d" % server.sockets[0].getsockname()[1]
    ids = [f"conn_{number}" for number in range(WAITS)]
    cancelled, others = ids[: WAITS // 2], ids[WAITS // 2 :]
    async with (
        p.AsyncPabblyConnectPlatform(base_url=base_url, requests_per_minute=1_000_000) as client,
        asyncio.timeout(120),
    ):
        waits = {
            connection: asyncio.create_task(
                client.wait_for_connection(f"{connection}@example.com", connection, interval=1)
            )
            for connection in ids
        }
        await more(ids, 1)

        for connection in cancelled:
            waits[connection].cancel()
        ends = await asyncio.gather(*(waits[connection] for connection in cancelled), return_exceptions=True)
        assert {type(end) for end in ends} == {asyncio.CancelledError}
        await more(others, 2)
        before = {connection: polls[connection] for connection in cancelled}
        await more(others, 4)
        # A request that was already on its way may have arrived meanwhile, but no other.
        assert all(polls[connection] <= before[connection] + 1 for connection in cancelled)

        status = "active"
        ends = await asyncio.gather(*(waits[connection] for connection in others))
        assert {end.status for end in ends} == {"active"}
    server.close()
