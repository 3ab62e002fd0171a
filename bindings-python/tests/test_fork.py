"""A client that was made before a fork works after it, in the child and in the parent."""

import asyncio
import concurrent.futures
import contextlib
import multiprocessing
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
import urllib.request

import pabbly_connect as p
import pytest
from conftest import EMAIL

CALLS = 5


def in_child(work):
    """Fork; the child does the work and ends at once."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    until = time.monotonic() + 30
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
        if time.monotonic() > until:
            os.kill(child, 9)
            os.waitpid(child, 0)
            pytest.fail("the child hangs")
        time.sleep(0.005)
    assert os.waitstatus_to_exitcode(ended[1]) == 0


def use(client):
    for _ in range(CALLS):
        assert client.get_token(EMAIL, "conn_1").token_type == "Bearer"


def use_async(client):
    async def main():
        for token in await asyncio.gather(*(client.get_token(EMAIL, "conn_1") for _ in range(CALLS))):
            assert token.token_type == "Bearer"

    asyncio.run(main())


USES = {p.PabblyConnectPlatform: use, p.AsyncPabblyConnectPlatform: use_async}


@contextlib.contextmanager
def busy(client, use):
    """Calls under way in other threads, which a child does not have."""
    stop = threading.Event()

    def work():
        while not stop.is_set():
            use(client)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("kind", USES)
@pytest.mark.parametrize("state", ["new", "used", "busy"])
def test_os_fork(server, kind, state):
    client, work = kind(), USES[kind]
    if state != "new":
        work(client)
    with busy(client, work) if state == "busy" else contextlib.nullcontext():
        for _ in range(20 if state == "busy" else 3):
            in_child(lambda: work(client))
    in_child(lambda: in_child(lambda: work(client)))
    work(client)


def test_a_child_takes_the_newest_key_and_a_closed_client_stays_closed(server):
    client = p.PabblyConnectPlatform()
    client.set_api_key("pk_live_newest")
    in_child(lambda: use(client))
    client.close()

    def refused():
        with pytest.raises(p.InvalidArgumentError):
            use(client)

    in_child(refused)


def test_a_child_drops_what_it_inherited_without_harm(server):
    clients = [p.PabblyConnectPlatform(), p.AsyncPabblyConnectPlatform()]
    use(clients[0])
    use_async(clients[1])
    page = clients[0].list_apps()

    def drop():
        use(clients[0])
        clients.clear()
        with pytest.raises(p.InvalidArgumentError, match="fork"):
            page.next_page()

    in_child(drop)
    use(clients[0])
    use_async(clients[1])


def test_connections_are_not_shared_with_a_child(server):
    client = p.PabblyConnectPlatform()
    use(client)
    before = server.counters()["connections"]
    in_child(lambda: use(client))
    # One of the child, and the one that asks.
    assert server.counters()["connections"] == before + 2


CLIENT = None


def work_in_pool(url):
    global CLIENT
    if CLIENT is None:  # a process that was not forked from this one
        CLIENT = p.PabblyConnectPlatform(base_url=url)
    use(CLIENT)
    use_async(p.AsyncPabblyConnectPlatform(base_url=url))
    return os.getpid()


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(server, method):
    global CLIENT
    CLIENT = p.PabblyConnectPlatform()
    use(CLIENT)
    context = multiprocessing.get_context(method)
    with context.Pool(3) as pool:
        assert os.getpid() not in pool.map_async(work_in_pool, [server.url] * 12).get(60)
    process = context.Process(target=work_in_pool, args=(server.url,))
    process.start()
    process.join(60)
    assert process.exitcode == 0
    use(CLIENT)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_concurrent_futures(server, method):
    global CLIENT
    CLIENT = p.PabblyConnectPlatform()
    use(CLIENT)
    with concurrent.futures.ProcessPoolExecutor(3, multiprocessing.get_context(method)) as pool:
        assert os.getpid() not in list(pool.map(work_in_pool, [server.url] * 12, timeout=60))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: use(CLIENT), range(64), timeout=60))


def fails_in_pool(_number):
    with p.PabblyConnectPlatform(base_url="http://127.0.0.1:1") as client:
        client.get_token(EMAIL, "conn_1")


def test_errors_pass_between_processes(server):
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        error = pool.submit(fails_in_pool, 0).exception(60)
    assert type(error) is p.NetworkError
    assert error.code == "network_error"


APPLICATION = """
    import os
    import pabbly_connect
    client = pabbly_connect.PabblyConnectPlatform()
    client.get_token("alice@example.com", "conn_1")
    master = os.getpid()

    def application(environ, start_response):
        assert os.getpid() != master
        token = client.get_token("alice@example.com", "conn_1")
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{os.getpid()} {token.token_type}".encode()]
"""


@pytest.mark.parametrize("worker", ["sync", "gthread"])
def test_gunicorn_with_preload(server, tmp_path, worker):
    (tmp_path / "application.py").write_text(textwrap.dedent(APPLICATION))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = ["-m", "gunicorn", "--preload", "--workers=3", "--threads=4", f"--worker-class={worker}"]
    log = (tmp_path / "log").open("w")
    gunicorn = subprocess.Popen([sys.executable, *command, "--bind", address, "application"], cwd=tmp_path, stderr=log)
    until = time.monotonic() + 60

    def ask(_number):
        while True:
            try:
                with urllib.request.urlopen(f"http://{address}", timeout=20) as answer:
                    return answer.read().decode().split()
            except urllib.error.URLError as error:
                assert time.monotonic() < until, (error, (tmp_path / "log").read_text())
                if not isinstance(error.reason, ConnectionRefusedError):
                    raise
                time.sleep(0.1)

    try:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, range(120)))
            # On a busy machine one worker may be the first to accept for a while.
            while len({pid for pid, _ in answers}) == 1:
                assert time.monotonic() < until, "one worker answers everything"
                answers += pool.map(ask, range(8))
        assert {kind for _, kind in answers} == {"Bearer"}
    finally:
        gunicorn.terminate()
        assert gunicorn.wait(30) == 0
        log.close()
