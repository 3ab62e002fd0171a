"""Measures one HTTP client, or this project's package, in a process of its own.

    peer.py NAME sync|asyncio

What to do is in the environment; see ../README.md. One peer is one generator: it gives control back once it has
imported what it needs, once its client is made, and then gives a function that makes a call and returns the `data` of
the answer. Settings differ from the defaults only where a connection would otherwise not be kept for each of the calls
in flight.
"""

import os
import resource
import sys
import time


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * (resource.getpagesize() // 1024)


RESIDENT_AT_START = resident()  # before anything that a bare interpreter does not have

BASE = os.environ["BENCH_BASE_URL"]
CA = os.environ["BENCH_CA"] if BASE.startswith("https:") else None
WORK = os.environ["BENCH_WORK"]
IN_FLIGHT = int(os.environ["BENCH_IN_FLIGHT"])

EMAIL = "alice@example.com"
CONNECTION = "conn_0123456789"
KEY = {"Authorization": f"Bearer {os.environ['PC_TENANT_KEY']}"}
CUSTOMER = {"X-User-Email": EMAIL}
METHOD, PATH = ("GET", "/apps?limit=50") if WORK == "list" else ("POST", f"/connections/{CONNECTION}/token")


def authority():
    with open(CA, "rb") as file:
        return file.read()


def pabbly_connect(asyncio):
    if asyncio:
        from pabbly_connect import AsyncPabblyConnectPlatform as Client
    else:
        from pabbly_connect import PabblyConnectPlatform as Client
    yield
    client = Client(base_url=BASE, ca_certificates=CA and authority())
    yield
    if WORK == "list":
        yield lambda: client.list_apps(limit=50)
    else:
        yield lambda: client.get_token(EMAIL, CONNECTION)


def httpx(asyncio):
    import ssl

    import httpx

    yield
    settings = {
        "headers": KEY,
        "limits": httpx.Limits(max_connections=100, max_keepalive_connections=100),
        "verify": ssl.create_default_context(cafile=CA) if CA else True,
    }
    client = (httpx.AsyncClient if asyncio else httpx.Client)(**settings)
    yield
    if asyncio:

        async def call():
            answer = await client.request(METHOD, BASE + PATH, headers=CUSTOMER)
            return answer.raise_for_status().json()["data"]
    else:

        def call():
            return client.request(METHOD, BASE + PATH, headers=CUSTOMER).raise_for_status().json()["data"]

    yield call


def aiohttp(_asyncio):
    import ssl

    import aiohttp

    yield
    session = aiohttp.ClientSession(headers=KEY)
    tls = ssl.create_default_context(cafile=CA) if CA else True
    yield

    async def call():
        async with session.request(METHOD, BASE + PATH, headers=CUSTOMER, ssl=tls, raise_for_status=True) as answer:
            return (await answer.json())["data"]

    yield call
    yield session.close


def requests(_asyncio):
    import requests

    yield
    session = requests.Session()
    session.headers.update(KEY)
    for scheme in ("http://", "https://"):
        session.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=64))
    yield

    def call():
        answer = session.request(METHOD, BASE + PATH, headers=CUSTOMER, verify=CA or True)
        answer.raise_for_status()
        return answer.json()["data"]

    yield call


def niquests(asyncio):
    import niquests

    yield
    session = (niquests.AsyncSession if asyncio else niquests.Session)(headers=KEY, pool_maxsize=64)
    yield
    if asyncio:

        async def call():
            answer = await session.request(METHOD, BASE + PATH, headers=CUSTOMER, verify=CA or True)
            return answer.raise_for_status().json()["data"]
    else:

        def call():
            answer = session.request(METHOD, BASE + PATH, headers=CUSTOMER, verify=CA or True)
            return answer.raise_for_status().json()["data"]

    yield call


def urllib3(_asyncio):
    import urllib3

    yield
    pool = urllib3.PoolManager(maxsize=64, headers=KEY, ca_certs=CA)
    headers = {**KEY, **CUSTOMER}
    yield

    def call():
        answer = pool.request(METHOD, BASE + PATH, headers=headers)
        assert answer.status == 200, answer.status
        return answer.json()["data"]

    yield call


def openai(asyncio):
    import openai

    yield
    settings = {"api_key": os.environ["PC_TENANT_KEY"], "base_url": BASE}
    if CA:
        import ssl

        own = openai.DefaultAsyncHttpxClient if asyncio else openai.DefaultHttpxClient
        settings["http_client"] = own(verify=ssl.create_default_context(cafile=CA))
    client = (openai.AsyncOpenAI if asyncio else openai.OpenAI)(**settings)
    send = client.get if METHOD == "GET" else client.post
    options = {"headers": CUSTOMER}
    yield
    if asyncio:

        async def call():
            return (await send(PATH, cast_to=object, options=options))["data"]
    else:

        def call():
            return send(PATH, cast_to=object, options=options)["data"]

    yield call


def wreq(asyncio):
    import wreq
    from wreq import blocking, tls

    yield
    settings = {"headers": KEY}
    if CA:
        settings["tls_verify"] = tls.CertStore.from_pem_stack(authority())
    client = (wreq.Client if asyncio else blocking.Client)(**settings)
    send = client.get if METHOD == "GET" else client.post
    yield
    if asyncio:

        async def call():
            answer = await send(BASE + PATH, headers=CUSTOMER)
            answer.raise_for_status()
            return (await answer.json())["data"]
    else:

        def call():
            answer = send(BASE + PATH, headers=CUSTOMER)
            answer.raise_for_status()
            return answer.json()["data"]

    yield call


def pyreqwest(asyncio):
    from pyreqwest.client import ClientBuilder, SyncClientBuilder

    yield
    builder = (ClientBuilder if asyncio else SyncClientBuilder)().default_headers(KEY).error_for_status(True)
    if CA:
        builder = builder.add_root_certificate_pem(authority())
    client = builder.build()
    yield
    if asyncio:

        async def call():
            answer = await client.request(METHOD, BASE + PATH).headers(CUSTOMER).build().send()
            return (await answer.json())["data"]
    else:

        def call():
            return client.request(METHOD, BASE + PATH).headers(CUSTOMER).build().send().json()["data"]

    yield call


def httpr(asyncio):
    import httpr

    yield
    client = (httpr.AsyncClient if asyncio else httpr.Client)(headers=KEY, ca_cert_file=CA)
    yield
    if asyncio:

        async def call():
            answer = await client.request(METHOD, BASE + PATH, headers=CUSTOMER)
            assert answer.status_code == 200, answer.status_code
            return answer.json()["data"]
    else:

        def call():
            answer = client.request(METHOD, BASE + PATH, headers=CUSTOMER)
            assert answer.status_code == 200, answer.status_code
            return answer.json()["data"]

    yield call


PEERS = {
    "pabbly-connect": pabbly_connect,
    **{p.__name__: p for p in (httpx, aiohttp, requests, niquests, urllib3, openai, wreq, pyreqwest, httpr)},
}


def check(data):
    """Look at what a user would look at; a wrong answer ends the program."""
    if WORK == "list":
        apps = data["apps"] if isinstance(data, dict) else data.apps
        names = [app["name"] if isinstance(app, dict) else app.name for app in apps]
        assert len(names) == 50 and all(names), names
    else:
        token = data["access_token"] if isinstance(data, dict) else data.access_token
        assert len(token) > 20, "no access token"


class Meter:
    """The CPU time of this process, all threads, and the wall clock, since it was started."""

    def __init__(self):
        self.start()

    def start(self):
        self.cpu, self.wall = self._cpu(), time.perf_counter()

    def read(self):
        return {
            "cpu_us": round((self._cpu() - self.cpu) * 1e6),
            "wall_us": round((time.perf_counter() - self.wall) * 1e6),
        }

    @staticmethod
    def _cpu():
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime


def asked():
    """How many calls to make, each time that a measurement is asked for."""
    for line in sys.stdin:
        yield int(line)


def tell(calls, used):
    result = {"calls": calls, **used, "rss_kib": resident(), "rss_start_kib": RESIDENT_AT_START}

    import json
    from importlib.metadata import version

    print(json.dumps({"peer": sys.argv[1], "version": version(sys.argv[1]), **result}), flush=True)


def blocking(peer):
    steps = peer(False)
    next(steps)
    if WORK == "construct":
        for calls in asked():
            meter = Meter()
            for _ in range(calls):
                again = peer(False)
                next(again)
                next(again)
            tell(calls, meter.read())
    elif WORK == "first":
        for _ in asked():
            meter = Meter()
            next(steps)
            check(next(steps)())
            tell(1, meter.read())
    else:
        next(steps)
        call = next(steps)
        for calls in asked():
            in_threads(call, calls)


def in_threads(call, calls):
    import threading

    each, failed = max(1, calls // IN_FLIGHT), []
    meter = Meter()
    warm = threading.Barrier(IN_FLIGHT, meter.start)

    def work():
        try:
            for _ in range(max(1, each // 10)):
                check(call())
            warm.wait()
            for _ in range(each):
                check(call())
        except BaseException as error:
            failed.append(error)
            warm.abort()

    if IN_FLIGHT == 1:
        work()
    else:
        threads = [threading.Thread(target=work) for _ in range(IN_FLIGHT)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if failed:
        raise failed[0]
    tell(each * IN_FLIGHT, meter.read())


async def end(steps):
    """Call what a peer gives beyond its call: what must be closed."""
    for close in steps:
        await close()


async def in_event_loop(peer):
    import asyncio

    steps = peer(True)
    next(steps)
    if WORK == "construct":
        for calls in asked():
            meter = Meter()
            for _ in range(calls):
                again = peer(True)
                next(again)
                next(again)
                next(again)
                await end(again)
            tell(calls, meter.read())
    elif WORK == "first":
        for _ in asked():
            meter = Meter()
            next(steps)
            check(await next(steps)())
            tell(1, meter.read())
    else:
        next(steps)
        call = next(steps)

        async def work(calls):
            for _ in range(calls):
                check(await call())

        for calls in asked():
            each = max(1, calls // IN_FLIGHT)
            await asyncio.gather(*(work(max(1, each // 10)) for _ in range(IN_FLIGHT)))
            meter = Meter()
            await asyncio.gather(*(work(each) for _ in range(IN_FLIGHT)))
            tell(each * IN_FLIGHT, meter.read())
    await end(steps)


def main(name, style):
    peer = PEERS[name]
    if WORK == "import":
        for _ in asked():
            meter = Meter()
            next(peer(style == "asyncio"))
            tell(1, meter.read())
    elif style == "asyncio":
        import asyncio

        asyncio.run(in_event_loop(peer))
    else:
        blocking(peer)


main(*sys.argv[1:])
