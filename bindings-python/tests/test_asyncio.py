"""Event loops: several, one after the other, of other makes; and tasks that are cancelled."""

import asyncio
import gc
import logging
import sys
import threading
import weakref

import pabbly_connect as p
import pytest
import uvloop
from conftest import EMAIL, run_python

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class NoReaderLoop(asyncio.SelectorEventLoop):
    """A loop that cannot watch file descriptors, as Windows' Proactor loop."""

    def add_reader(self, *_):
        raise NotImplementedError


LOOPS["no add_reader"] = NoReaderLoop


@pytest.fixture(params=LOOPS)
def run(request):
    def run(main):
        loop = LOOPS[request.param]()
        try:
            return loop.run_until_complete(main)
        finally:
            loop.close()

    return run


def test_many_loops_with_one_client(server, run):
    client = p.AsyncPabblyConnectPlatform()
    for _ in range(5):
        assert run(call(client)).token_type == "Bearer"
    run(client.close())


async def call(client):
    return await client.get_token(EMAIL, "conn_1")


def test_loops_at_once_in_threads(server):
    client = p.AsyncPabblyConnectPlatform()
    tokens = []

    async def main():
        tokens.extend(await asyncio.gather(*(call(client) for _ in range(50))))

    threads = [threading.Thread(target=lambda: asyncio.run(main())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(tokens) == 400


def test_calls_are_coroutines(server, run):
    async def main():
        async with p.AsyncPabblyConnectPlatform() as client:
            task = asyncio.create_task(client.get_token(EMAIL, "conn_1"))
            listed = asyncio.create_task(client.list_apps())
            waited = asyncio.wait_for(client.get_connection(EMAIL, "conn_1"), 10)
            gathered = await asyncio.gather(
                task, listed, waited, client.list_apps(), client.delete_connection(EMAIL, "c")
            )
            assert [type(answer).__name__ for answer in gathered] == [
                "Token",
                "AsyncAppPage",
                "Connection",
                "AsyncAppPage",
                "NoneType",
            ]
            async with asyncio.timeout(10):
                assert len([app async for app in client.list_apps()]) == 20
                assert len([app async for app in await client.list_apps()]) == 20
            customer = client.customer(EMAIL)
            assert (await customer.get_token("conn_1")).expires_in == 3599

    run(main())


def test_arguments_are_checked_when_the_method_is_called(server):
    client = p.AsyncPabblyConnectPlatform()
    with pytest.raises(p.InvalidUserEmailError):
        client.get_token("nobody", "conn_1")
    with pytest.raises(p.InvalidArgumentError):
        client.get_token(EMAIL, "conn_1", timeout=-1)


def test_cancelling_a_task_stops_its_request(server, run):
    async def main():
        async with p.AsyncPabblyConnectPlatform() as client:
            tasks = [asyncio.ensure_future(client.get_token(EMAIL, f"hang_{n}")) for n in range(20)]
            await asyncio.get_running_loop().run_in_executor(
                None, server.wait_for, lambda counters: counters["hanging"] == 20
            )
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert {type(error) for error in ended} == {asyncio.CancelledError}
            await asyncio.get_running_loop().run_in_executor(
                None, server.wait_for, lambda counters: counters["hanging"] == 0
            )
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.get_token(EMAIL, "hang_x"), 0.1)
            assert (await client.get_token(EMAIL, "conn_1")).token_type == "Bearer"

    run(main())


def test_a_task_cancelled_before_it_began_sends_nothing(server, run):
    async def main():
        async with p.AsyncPabblyConnectPlatform() as client:
            task = asyncio.ensure_future(client.get_token(EMAIL, "conn_1"))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    run(main())
    assert server.counters()["requests"] == 0


def test_loops_that_end_with_calls_under_way_leave_nothing_behind(server):
    client = p.AsyncPabblyConnectPlatform()

    async def main():
        task = asyncio.ensure_future(client.get_token(EMAIL, "hang_1"))
        await asyncio.sleep(0.05)
        assert not task.done()

    for _ in range(20):
        asyncio.run(main())
    server.wait_for(lambda counters: counters["hanging"] == 0)


def test_a_loop_is_let_go(server):
    client = p.AsyncPabblyConnectPlatform()
    for new in LOOPS.values():
        loop = new()
        loop.run_until_complete(call(client))
        loop.close()
        gone = weakref.ref(loop)
        del loop
        gc.collect()
        assert gone() is None, new


def test_the_log_and_polls_reach_the_loop(server, run, caplog):
    polls = []

    async def main():
        async with p.AsyncPabblyConnectPlatform() as client:
            with pytest.raises(p.WaitTimeoutError):
                await client.wait_for_connection(EMAIL, "pending_1", interval=0.1, timeout=0.5, on_poll=polls.append)
            with pytest.raises(ZeroDivisionError):
                await client.wait_for_connection(EMAIL, "pending_1", interval=0.1, on_poll=lambda _: 1 / 0)

    with caplog.at_level("DEBUG", "pabbly_connect"):
        run(main())
    assert polls
    assert polls[0].status == "pending"
    assert "getConnection: GET /connections/pending_1 (attempt 1)" in caplog.text
    assert "connection pending_1 is pending" in caplog.text


def test_a_log_filter_that_fails_leaves_the_calls_alone(server, run, caplog, monkeypatch):
    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)

    def refuse(_record):
        raise KeyError("a filter that fails")

    async def main():
        async with p.AsyncPabblyConnectPlatform() as client:
            async with asyncio.timeout(20):
                return await asyncio.gather(*(call(client) for _ in range(10)))

    logger = logging.getLogger("pabbly_connect")
    logger.addFilter(refuse)
    try:
        with caplog.at_level("DEBUG", "pabbly_connect"):
            assert [token.token_type for token in run(main())] == ["Bearer"] * 10
    finally:
        logger.removeFilter(refuse)
    assert {type(one.exc_value) for one in told} == {KeyError}


def test_on_poll_may_cancel_its_task_or_raise_anything(server, run):
    async def main():
        async with p.AsyncPabblyConnectPlatform() as client:
            failures = []
            asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))

            def cancel(_):
                waiting.cancel()
                raise ZeroDivisionError

            waiting = asyncio.ensure_future(client.wait_for_connection(EMAIL, "pending_1", on_poll=cancel))
            with pytest.raises(asyncio.CancelledError):
                await waiting

            def stop(_):
                raise StopIteration

            with pytest.raises(RuntimeError, match="StopIteration"):
                await client.wait_for_connection(EMAIL, "pending_1", on_poll=stop)
            assert failures == []

    run(main())


def test_anyio_on_asyncio_works_and_trio_is_told(server):
    import anyio

    async def main():
        client = p.AsyncPabblyConnectPlatform()
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(call, client)
        with anyio.move_on_after(0.1) as scope:
            await client.get_token(EMAIL, "hang_1")
        assert scope.cancelled_caught

    anyio.run(main, backend="asyncio")

    async def trio_main():
        with pytest.raises(p.InvalidArgumentError, match="trio"):
            await call(p.AsyncPabblyConnectPlatform())
        with p.PabblyConnectPlatform() as client:
            return await anyio.to_thread.run_sync(lambda: client.get_token(EMAIL, "conn_1"))

    assert anyio.run(trio_main, backend="trio").token_type == "Bearer"


def test_nothing_heavy_is_imported():
    loaded = run_python(
        "import sys; before = set(sys.modules); import pabbly_connect; print(*sorted(set(sys.modules) - before))"
    ).split()
    heavy = {"asyncio", "typing", "json", "re", "logging", "ssl", "threading", "collections", "weakref", "inspect"}
    assert not heavy & set(loaded), loaded
    assert all(name.startswith(("pabbly_connect", "__future__", "atexit")) for name in loaded), loaded
