"""Bodies of proxied calls: how they pass, and how they end. What all languages share is in tests/scenarios/."""

import asyncio
import http.server
import json
import os
import pickle
import re
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import call

import httpx
import pabbly_connect as p
import pytest
from conftest import EMAIL
from pabbly_connect.httpx import AsyncProxyTransport, ProxyTransport
from pabbly_connect.testing import FakeAsyncClient, FakeClient

# Far more than what sockets and their two sides keep.
LARGE = 256 << 20
KEPT = 64 << 20
PART = b"x" * (64 << 10)
BASE = "https://api.example.com/v1"


class Handler(http.server.BaseHTTPRequestHandler):
    """A platform whose path says how it answers; everything else is told what arrived."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        platform, path = self.server, self.path.partition("/proxy/")[2].partition("?")[0]
        if path in ("hang", "begin"):
            platform.arrived.set()
            if path == "begin":
                self.begin(b"content-length: 99", b"begin")
            # A request that is taken back ends its connection.
            while self.connection.recv(4096):
                pass
            platform.ended.put(time.perf_counter())
        elif path == "export":
            self.begin(b"content-length: %d" % LARGE)
            for _ in range(LARGE // len(PART)):
                self.connection.sendall(PART)
                platform.sent += len(PART)
        elif path == "import":
            time.sleep(0.5)
            platform.given_until_then = platform.given
            self.answer(b"%d" % sum(map(len, self.parts())))
        elif path == "forbidden":
            if self.command == "POST":
                self.rfile.read(int(self.rfile.readline(), 16))
            self.answer(b'{"status":"error","message":"No.","data":{"code":"capability_disabled"}}', 403, "platform")
            while self.connection.recv(4096):
                pass
        else:
            body = b"".join(self.parts())
            arrived = {"method": self.command, "path": self.path, "headers": dict(self.headers)}
            arrived["headers"] = {name.lower(): value for name, value in arrived["headers"].items()}
            self.answer(json.dumps({**arrived, "body": body.decode("latin-1")}).encode())

    do_POST = do_PUT = do_GET

    def parts(self):
        if self.headers.get("transfer-encoding") is None:
            left = int(self.headers.get("content-length", 0))
            while left:
                part = self.rfile.read(min(left, len(PART)))
                left -= len(part)
                yield part
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def begin(self, header, body=b""):
        head = b"HTTP/1.1 200 OK\r\nx-connect-source: provider\r\nx-a: 1\r\nx-a: 2\r\n%s\r\n\r\n" % header
        self.connection.sendall(head + body)

    def answer(self, body, status=200, source="provider"):
        self.send_response(status)
        self.send_header("x-connect-source", source)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Ended:
    """When connections ended."""

    def __init__(self):
        self.times, self.condition = [], threading.Condition()

    def put(self, at):
        with self.condition:
            self.times.append(at)
            self.condition.notify()

    def get(self):
        with self.condition:
            assert self.condition.wait_for(lambda: self.times, 20), "the other side saw no end"
            return self.times.pop()


class Platform(http.server.ThreadingHTTPServer):
    """The server, and what it saw."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.ended, self.arrived, self.sent, self.given, self.given_until_then = Ended(), threading.Event(), 0, 0, 0

    def handle_error(self, *_):
        """Ignore clients that are gone."""

    def source(self):
        for _ in range(LARGE // len(PART)):
            yield PART
            self.given += len(PART)

    async def async_source(self):
        for part in self.source():
            yield part


@pytest.fixture
def platform(monkeypatch):
    platform = Platform()
    threading.Thread(target=platform.serve_forever, daemon=True).start()
    monkeypatch.setenv("PC_BASE_URL", f"http://127.0.0.1:{platform.server_address[1]}")
    yield platform
    platform.shutdown()


@pytest.fixture
def alice(platform):
    with p.PabblyConnectPlatform() as client:
        yield client.customer(EMAIL)


def run(test):
    """Run a test with a client for asyncio."""

    async def with_client():
        async with p.AsyncPabblyConnectPlatform() as client:
            await test(client.customer(EMAIL))

    asyncio.run(with_client())


def test_a_reader_that_is_slow_stops_the_sender(platform, alice):
    response = alice.proxy("c", path="export")
    parts = response.iter_bytes()
    first = next(parts)
    time.sleep(0.5)
    assert platform.sent < KEPT
    assert len(first) + sum(map(len, parts)) == LARGE


def test_a_reader_that_is_slow_stops_the_sender_under_asyncio(platform):
    async def test(alice):
        async with await alice.proxy("c", path="export") as response:
            parts = response.aiter_bytes()
            read = len(await anext(parts))
            await asyncio.sleep(0.5)
            assert platform.sent < KEPT
            async for part in parts:
                read += len(part)
            assert read == LARGE

    run(test)


def test_a_provider_that_is_slow_stops_the_source(platform, alice):
    response = alice.proxy("c", method="POST", path="import", body=platform.source())
    assert response.json() == LARGE
    assert platform.given_until_then < KEPT


@pytest.mark.parametrize("kind", ["source", "async_source"])
def test_a_provider_that_is_slow_stops_the_source_under_asyncio(platform, kind):
    async def test(alice):
        response = await alice.proxy("c", method="POST", path="import", body=getattr(platform, kind)())
        assert await response.json() == LARGE
        assert platform.given_until_then < KEPT

    run(test)


class Stopped(BaseException):
    """What a signal's handler raises."""


def told(delays):
    shown = ", ".join(f"{how} {delay * 1000:.1f} ms" for how, delay in delays.items())
    print(f"{len(delays)} cancellations were seen by the other side after: {shown}")
    assert max(delays.values()) < 2, shown


def test_the_other_side_sees_a_cancellation(platform, alice):
    delays = {}

    def ring(*_):
        delays["signal"] = time.perf_counter()
        raise Stopped

    def measured(how, cancel):
        at = time.perf_counter()
        cancel()
        delays[how] = platform.ended.get() - delays.get(how, at)

    def interrupted(path):
        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(Stopped):
            alice.proxy("c", path=path).read()

    measured("signal", lambda: interrupted("hang"))
    delays["in headers"] = delays.pop("signal")
    measured("signal", lambda: interrupted("begin"))
    delays["in the body"] = delays.pop("signal")

    response = alice.proxy("c", path="begin")
    measured("close", response.close)
    assert response.read() == b""

    parts = alice.proxy("c", path="begin").iter_bytes()
    assert next(parts) == b"begin"
    # Nobody holds the response but the iteration.
    measured("a generator left", parts.close)

    held = [alice.proxy("c", path="begin")]
    measured("a response dropped", held.clear)

    # One thread reads while the other closes.
    response = alice.proxy("c", path="begin")
    reading = threading.Thread(target=response.read)
    reading.start()
    time.sleep(0.1)
    measured("close by another thread", response.close)
    reading.join(20)
    assert not reading.is_alive()
    told(delays)


def test_the_other_side_sees_a_cancellation_under_asyncio(platform):
    delays = {}

    async def measured(how, cancel):
        at = time.perf_counter()
        cancel()
        ended = asyncio.get_running_loop().run_in_executor(None, platform.ended.get)
        delays[how] = await ended - at

    async def test(alice):
        async def read(path, **more):
            return await (await alice.proxy("c", path=path, **more)).read()

        class Waiting:
            left = False

            def __aiter__(self):
                return self

            async def __anext__(self):
                await asyncio.sleep(60)

            async def aclose(self):
                self.left = True

        source = Waiting()
        for how, path, more in [
            ("in headers", "hang", {}),
            ("in the body", "begin", {}),
            ("while the source waits", "hang", {"method": "POST", "body": source}),
        ]:
            task = asyncio.ensure_future(read(path, **more))
            await asyncio.get_running_loop().run_in_executor(None, platform.arrived.wait)
            await asyncio.sleep(0.05)
            await measured(how, task.cancel)
            with pytest.raises(asyncio.CancelledError):
                await task
            platform.arrived.clear()
        await asyncio.sleep(0.05)
        assert source.left

        response = await alice.proxy("c", path="begin")
        await measured("aclose", response._close)
        held = [await alice.proxy("c", path="begin")]
        await measured("a response dropped", held.clear)

    run(test)
    told(delays)


class Mine(Exception):
    """What a source raises."""


def test_what_a_source_raises_is_what_the_call_raises(alice):
    def source(part):
        yield part
        raise Mine

    with pytest.raises(Mine):
        alice.proxy("c", method="POST", path="a", body=source("begin"))
    with pytest.raises(TypeError, match="bytes or texts"):
        alice.proxy("c", method="POST", path="a", body=source(5))

    async def test(alice):
        async def asynchronous():
            yield b"begin"
            raise Mine

        for body in (source("begin"), asynchronous()):
            with pytest.raises(Mine):
                await alice.proxy("c", method="POST", path="a", body=body)

    run(test)


def test_a_source_is_left_where_the_platform_answers_before_its_end(alice):
    asked = []

    def slow():
        for number in range(10):
            asked.append(number)
            yield b"begin"
            time.sleep(0.3)

    with pytest.raises(p.CapabilityDisabledError):
        alice.proxy("c", method="POST", path="forbidden", body=slow())
    assert len(asked) < 5

    async def test(alice):
        async def source():
            yield b"begin"
            await asyncio.sleep(60)

        with pytest.raises(p.CapabilityDisabledError):
            await alice.proxy("c", method="POST", path="forbidden", body=source())

    run(test)


def test_bodies_and_pairs_come_in_every_shape(alice):
    for body in ("hi", b"hi", bytearray(b"hi"), memoryview(b"hi"), ["h", b"i"], iter(["hi"])):
        with alice.proxy("c", method="POST", path="a", body=body) as response:
            assert response.json()["body"] == "hi"
    sized = alice.proxy("c", method="POST", path="a", body=iter(["hi"]), headers={"content-length": 2})
    assert sized.json()["headers"]["content-length"] == "2"
    for query in ({"a": 1, "b": True, "c": None}, [("a", "1"), ("b", "true")]):
        arrived = alice.proxy("c", path="a?z=0", query=query, headers=[("X-A", "b")]).json()
        assert arrived["path"].endswith("/a?z=0&a=1&b=true")
        assert arrived["headers"]["x-a"] == "b"
    for wrong in ({"path": "../a"}, {"path": "a", "headers": {"cookie": "x"}}, {"path": "a", "method": "G T"}):
        with pytest.raises(p.InvalidArgumentError):
            alice.proxy("c", **wrong)
    for body in (5, {"a": 1}):
        with pytest.raises(TypeError, match="made JSON"):
            alice.proxy("c", path="a", body=body)


def test_a_response_shows_its_status_alone(alice):
    with alice.proxy("c", path="begin") as response:
        assert repr(response) == "ProxyResponse(status=200)"
        assert (response.status, response.source, response.headers["x-a"]) == (200, "provider", "1, 2")
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(response)
    whole = alice.proxy("c", path="a")
    assert whole.read() == whole.read() == b"".join(whole.iter_bytes()) != b""


def test_a_forked_child_cannot_read_on(platform, alice):
    response = alice.proxy("c", path="begin")
    child = os.fork()
    if child == 0:
        try:
            response.read()
        except p.InvalidArgumentError:
            del response
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert next(response.iter_bytes()) == b"begin"
    assert not platform.ended.times


def test_httpx_goes_through_the_platform(alice):
    transport = ProxyTransport(alice, "c", base_url=BASE)
    with httpx.Client(transport=transport, base_url=BASE, headers={"Authorization": "Bearer none"}) as client:
        response = client.post("/a%2Fb?x=1", json={"a": 1})
        arrived = response.json()
        assert arrived["path"] == "/connections/c/proxy/a%2Fb?x=1"
        assert arrived["headers"]["authorization"] == "Bearer pk_live_canary"
        assert (arrived["body"], arrived["headers"]["content-length"]) == ('{"a":1}', "7")
        streamed = client.post("/a", content=iter([b"h", b"i"])).json()
        assert (streamed["body"], streamed["headers"]["transfer-encoding"]) == ("hi", "chunked")
        uploaded = client.post("/a", files={"file": b"hi"}).json()
        assert "hi" in uploaded["body"]
        assert "content-length" in uploaded["headers"]
        with client.stream("GET", "/export") as response:
            assert len(next(response.iter_bytes())) > 0
        with pytest.raises(p.InvalidArgumentError):
            client.get("https://evil.example/v1/a")
        with pytest.raises(p.CapabilityDisabledError):
            client.get("/forbidden")
        with pytest.raises(p.TimeoutError):
            client.get("/hang", timeout=0.2)


def test_httpx_goes_through_the_platform_under_asyncio(platform):
    async def test(alice):
        async def parts():
            yield b"h"
            yield b"i"

        transport = AsyncProxyTransport(alice, "c", base_url=BASE)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            assert (await client.get("/a", params={"x": "1"})).json()["path"].endswith("/a?x=1")
            assert (await client.post("/a", content=parts())).json()["body"] == "hi"
            async with client.stream("GET", "/begin") as response:
                assert await anext(response.aiter_bytes()) == b"begin"
            assert platform.ended.get()

    run(test)


def test_the_example_of_the_page(alice, capsys):
    page = Path(__file__).parents[2].joinpath("docs/python.md").read_text("utf-8")
    (example,) = re.findall(r"^```python\n(import httpx\n.*?)^```$", page, re.MULTILINE | re.DOTALL)

    class Client:
        def get_connection(self, _email, _id):
            return SimpleNamespace(api_base_url=BASE)

        def customer(self, _email):
            return alice

    exec(example, {"pc": Client(), "customer": EMAIL, "connection": SimpleNamespace(id="c")})
    assert "/connections/c/proxy/gmail/v1/users/me/messages?maxResults=10" in capsys.readouterr().out


def test_a_fake_gives_a_response():
    fake = FakeClient(proxy=p.ProxyResponse(404, {"X-A": "b"}, '{"a": 1}'))
    response = fake.customer(EMAIL).proxy("c", path="a", query={"x": 1})
    assert (response.status, response.headers, response.json()) == (404, {"x-a": "b"}, {"a": 1})
    assert fake.calls == [call.proxy(EMAIL, "c", path="a", query={"x": "1"})]
    with pytest.raises(p.InvalidArgumentError):
        fake.proxy(EMAIL, "c", path="../a")

    async def test():
        async with FakeAsyncClient(proxy=lambda *_, **__: p.AsyncProxyResponse(200, body=b"hi")) as fake:
            response = await fake.proxy(EMAIL, "c", path="a", method="POST", body=b"sent")
            assert await response.read() == b"hi"
            assert fake.calls == [call.proxy(EMAIL, "c", method="POST", path="a", body=b"sent")]

    asyncio.run(test())
