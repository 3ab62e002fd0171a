"""`pabbly_connect.testing`: the fake clients, and the emulator, which is `connect-service dev`."""

import asyncio
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from unittest.mock import call

import pytest
from pabbly_connect import (
    App,
    AppPage,
    AsyncAppPage,
    Connection,
    ConnectionDeletedError,
    ConnectionPage,
    Event,
    InvalidArgumentError,
    InvalidUserEmailError,
    NeedsReconnectionError,
    PabblyConnectPlatform,
    RequestLink,
    Token,
)
from pabbly_connect.testing import EmulatorError, FakeAsyncClient, FakeClient, start_emulator

ALICE = "alice@example.com"
TOKEN = Token.of(access_token="test")
EVENT = {"type": "webhook.test", "timestamp": "2026-11-29T12:00:00Z", "data": {}}
APPS = (App(id="gmail", name="Gmail"), App(id="slack", name="Slack"))
LINK = RequestLink("c", "rt_secret", "https://connect.example/secret", "2026-12-01T00:00:00Z")


def test_a_fake_gives_values_what_functions_give_and_errors():
    pc = FakeClient(
        get_token=TOKEN,
        get_connection=lambda email, id, **_: Connection(id=id, status="active", customer_name=email),
        create_request_link=LINK,
        verify_connection=NeedsReconnectionError("revoked"),
        delete_connection=None,
    )
    assert pc.get_token(ALICE, "c") is TOKEN
    assert pc.get_connection(ALICE, "c", timeout=5) == Connection(id="c", status="active", customer_name=ALICE)
    assert pc.create_request_link(ALICE, app_id="gmail", name="Work") == LINK
    with pytest.raises(NeedsReconnectionError, match="revoked"):
        pc.verify_connection(ALICE, "c")
    assert pc.delete_connection(ALICE, "c") is None
    assert isinstance(pc, PabblyConnectPlatform)


def test_a_fake_names_the_method_that_has_no_result():
    with pytest.raises(RuntimeError, match="no result for remove_usage"):
        FakeClient().remove_usage(ALICE, "c", "u")


def test_a_fake_notes_its_calls():
    pc = FakeClient(get_token=TOKEN, update_connection=Connection(id="c", status="active"))
    pc.get_token(ALICE, "c")
    pc.customer(ALICE).get_token("d", timeout=5)
    pc.update_connection(ALICE, "c", name="Work", customer_name=None)
    assert pc.calls == [
        call.get_token(ALICE, "c"),
        call.get_token(ALICE, "d", timeout=5),
        call.update_connection(ALICE, "c", name="Work", customer_name=None),
    ]


def test_a_fake_list_is_one_page():
    pc = FakeClient(list_apps=AppPage(apps=APPS), list_connections=lambda _email: ConnectionPage(connections=()))
    assert pc.list_apps(search="a") == AppPage(apps=APPS)
    assert tuple(pc.list_apps()) == APPS
    assert pc.list_apps().next_page() is None
    assert pc.customer(ALICE).list_connections().connections == ()
    assert pc.calls[:2] == [call.list_apps(search="a"), call.list_apps()]


def test_a_fake_gives_events_and_then_ends():
    events = [Event.from_dict({**EVENT, "id": f"evt_{cursor}", "cursor": cursor}) for cursor in ("a1", "a2")]
    pc = FakeClient(events=lambda after=None, **_: [] if after else events)
    feed = pc.events()
    seen = []
    for event in feed:
        seen.append((event.cursor, feed.cursor))
        break
    seen += [(event.cursor, feed.cursor) for event in feed]
    assert seen == [("a1", "a1"), ("a2", "a2")]
    assert list(pc.events(after="a2", wait=0, timeout=5)) == []
    assert pc.calls == [call.events(), call.events(after="a2", wait=0, timeout=5)]
    with pytest.raises(InvalidArgumentError):
        pc.events(timeout="soon")

    async def main():
        return [event async for event in FakeAsyncClient(events=events).events()]

    assert asyncio.run(main()) == events


def test_a_fake_refuses_what_the_real_client_refuses():
    pc = FakeClient(get_token=TOKEN)
    with pytest.raises(InvalidUserEmailError):
        pc.get_token("nobody", "c")
    with pytest.raises(InvalidUserEmailError):
        pc.customer("nobody")
    with pytest.raises(InvalidArgumentError):
        pc.get_token(ALICE, "c", timeout="soon")
    assert pc.calls == []
    pc.close()
    with pytest.raises(InvalidArgumentError):
        pc.get_token(ALICE, "c")


def test_a_fake_for_asyncio():
    async def connection(email, id):
        await asyncio.sleep(0)
        return Connection(id=id, status="active", customer_name=email)

    def gone(*_):
        raise ConnectionDeletedError("gone")

    async def main():
        pc = FakeAsyncClient(
            get_token=TOKEN,
            get_connection=connection,
            add_usage=gone,
            delete_connection=None,
            list_apps=AsyncAppPage(apps=APPS),
            wait_for_connection=lambda *_: asyncio.Event().wait(),
        )
        assert await pc.get_token(ALICE, "c") is TOKEN
        assert (await pc.customer(ALICE).get_connection("c")).customer_name == ALICE
        with pytest.raises(ConnectionDeletedError):
            await pc.add_usage(ALICE, "c", "u")
        assert await pc.delete_connection(ALICE, "c") is None
        assert (await pc.list_apps()).apps == APPS
        assert tuple([app async for app in pc.list_apps()]) == APPS
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(pc.wait_for_connection(ALICE, "c"), 0.05)
        with pytest.raises(InvalidUserEmailError):
            pc.get_token("nobody", "c")
        with pytest.raises(RuntimeError, match="no result for remove_usage"):
            await pc.remove_usage(ALICE, "c", "u")
        assert pc.calls[:2] == [call.get_token(ALICE, "c"), call.get_connection(ALICE, "c")]
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def listens(base_url):
    try:
        urllib.request.urlopen(base_url, timeout=10)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def wait_until_gone(base_url):
    until = time.monotonic() + 30
    while listens(base_url):
        assert time.monotonic() < until, f"{base_url} still listens"
        time.sleep(0.05)


def test_an_emulator_is_steered_and_leaves_nothing():
    with start_emulator(args=["--seed"]) as emulator:
        assert list(emulator.env) == ["PC_TENANT_KEY", "PC_BASE_URL", "PC_DEV_URL"]
        pc = PabblyConnectPlatform(api_key=emulator.tenant_key, base_url=emulator.base_url)
        link = pc.create_request_link(ALICE, app_id="gmail", name="Work")
        connected = emulator.ctl("connect", link.request_link)
        assert (connected["connection_id"], connected["status"]) == (link.connection_id, "active")
        emulator.ctl("revoke", link.connection_id)
        with pytest.raises(NeedsReconnectionError):
            pc.get_token(ALICE, link.connection_id)
        with pytest.raises(EmulatorError, match=r"^connect-service dev ctl expire failed:\n") as refused:
            emulator.ctl("expire", "conn_unknown")
        assert "There is no such connection" in refused.value.stderr
    assert not listens(emulator.base_url)
    emulator.stop()


def test_an_emulator_that_does_not_start_says_why():
    with pytest.raises(EmulatorError, match=r"no program /nowhere/connect-service: build it"):
        start_emulator(binary="/nowhere/connect-service")
    with pytest.raises(EmulatorError, match=r"ended with 2:\n.*unexpected argument '--prot'"):
        start_emulator(args=["--prot", "1"])


@pytest.mark.parametrize("end", ["", "; __import__('os').kill(__import__('os').getpid(), 9)"])
def test_an_emulator_ends_with_the_process_that_started_it(end):
    code = "from pabbly_connect.testing import start_emulator as s; e = s(); print(e.base_url, flush=True)"
    ended = subprocess.run([sys.executable, "-c", code + end], stdout=subprocess.PIPE, text=True, timeout=60)
    assert ended.returncode == (-9 if end else 0)
    wait_until_gone(ended.stdout.strip())


def test_the_tests_on_the_page(tmp_path):
    page = Path(__file__).parents[2] / "docs/python.md"
    examples = re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    tests = [example for example in examples if "\ndef test_" in example]
    assert len(tests) == 2
    for number, test in enumerate(tests):
        (tmp_path / f"test_{number}.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "3 passed" in ended.stdout, ended.stdout
