"""What only blocking calls can get wrong."""

import logging
import signal
import sys
import threading
import time

import pabbly_connect as p
import pytest
from conftest import EMAIL, Server, run_python


class Stopped(BaseException):
    """What a signal's handler raises."""


@pytest.mark.parametrize("call", ["get_token", "wait_for_connection", "get_connection"])
def test_a_signal_interrupts_within_200_ms(server, call):
    rang_at = 0

    def ring(*_):
        nonlocal rang_at
        raise Stopped

    signal.signal(signal.SIGALRM, ring)
    delays = []
    with p.PabblyConnectPlatform() as client:
        for _ in range(5):
            signal.setitimer(signal.ITIMER_REAL, 0.15)
            rang_at = time.monotonic() + 0.15
            with pytest.raises(Stopped):
                getattr(client, call)(EMAIL, "pending_1" if call == "wait_for_connection" else "hang_1")
            delays.append(time.monotonic() - rang_at)
        # The best of five: the machine may be busy with other things.
        assert min(delays) < 0.2, delays
        server.wait_for(lambda counters: counters["hanging"] == 0)


def test_ctrl_c_is_a_keyboard_interrupt(server):
    # Where the tests run in the background the shell has SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Timer(0.2, signal.raise_signal, [signal.SIGINT]).start()
    with p.PabblyConnectPlatform() as client, pytest.raises(KeyboardInterrupt):
        client.get_token(EMAIL, "hang_1")


def test_a_handler_that_does_not_raise_does_not_end_the_call(server):
    rang = []
    signal.signal(signal.SIGALRM, lambda *_: rang.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    with p.PabblyConnectPlatform() as client, pytest.raises(p.TimeoutError):
        client.get_token(EMAIL, "hang_1", timeout=0.5)
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert rang
    server.wait_for(lambda counters: counters["hanging"] == 0)


def test_calls_one_after_the_other_use_one_connection(server):
    with p.PabblyConnectPlatform() as client:
        for _ in range(200):
            client.get_token(EMAIL, "conn_1")
        time.sleep(0.7)
        for _ in range(10):
            client.get_connection(EMAIL, "conn_1")
    assert server.counters()["connections"] <= 2  # with the one that asks


def test_a_closed_client_closes_its_connections_and_refuses(server):
    client = p.PabblyConnectPlatform()
    client.get_token(EMAIL, "conn_1")
    client.close()
    client.close()
    server.wait_for(lambda counters: counters["open"] == 1)
    with pytest.raises(p.InvalidArgumentError, match="closed"):
        client.get_token(EMAIL, "conn_1")


def test_threads_may_meet_at_a_closed_client():
    # In an interpreter of its own: the first error imports what makes exceptions, where another thread gets its turn.
    run_python(
        """
import sys, threading
import pabbly_connect as p
sys.setswitchinterval(1e-6)
client = p.PabblyConnectPlatform(base_url="http://127.0.0.1:1")
client.close()
def work():
    for _ in range(200):
        try:
            client.get_token("alice@example.com", "conn_1")
        except p.InvalidArgumentError:
            repr(client)
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    )


def test_threads_share_a_client(server):
    errors = []
    done = []

    def work():
        try:
            for number in range(50):
                client.get_token(EMAIL, f"conn_{number}")
                done.append(1)
        except BaseException as error:
            errors.append(error)

    with p.PabblyConnectPlatform() as client:
        threads = [threading.Thread(target=work) for _ in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not errors
    assert len(done) == 32 * 50
    # Connections are shared: a thread that finds none free may open one more, and not one for each call.
    assert server.counters()["connections"] <= 4 * 32


def test_a_thread_goes_on_while_another_waits(server):
    """Whoever drives the connections hands them over when it is done."""
    with p.PabblyConnectPlatform() as client:
        waiting = threading.Thread(target=lambda: client.get_token(EMAIL, "slow_1"))
        hanging = threading.Thread(target=hang, args=(client,))
        hanging.start()
        time.sleep(0.1)
        waiting.start()
        waiting.join(10)
        assert not waiting.is_alive()
        client.get_token(EMAIL, "conn_1")
        hanging.join(10)
        assert not hanging.is_alive()


def hang(client):
    with pytest.raises(p.TimeoutError):
        client.get_token(EMAIL, "hang_1", timeout=1)


def test_a_service_that_was_restarted_is_found_again(server):
    with p.PabblyConnectPlatform() as client:
        client.get_token(EMAIL, "conn_1")
        server.stop()
        time.sleep(0.6)
        with pytest.raises(p.NetworkError):
            client.get_token(EMAIL, "conn_1")
        again = Server(server.port)
        client.get_token(EMAIL, "conn_1")
        time.sleep(0.6)
        client.get_token(EMAIL, "conn_1")
        again.stop()


def test_the_log_tells_each_attempt_without_secrets(server, caplog):
    with caplog.at_level(logging.DEBUG, "pabbly_connect"), p.PabblyConnectPlatform() as client:
        client.get_token(EMAIL, "conn_1")
        with pytest.raises(p.WaitTimeoutError):
            client.wait_for_connection(EMAIL, "pending_1", interval=0.1, timeout=0.5)
    text = caplog.text
    assert "getToken: POST /connections/conn_1/token (attempt 1)" in text
    assert "getToken: HTTP 200 after" in text
    assert "connection pending_1 is pending, the next poll follows in" in text
    assert "canary" not in text
    assert EMAIL not in text
    caplog.clear()
    with p.PabblyConnectPlatform() as client:
        client.get_token(EMAIL, "conn_1")
    assert not caplog.text


def refuse(_record):
    raise KeyError("a filter that fails")


def test_a_log_filter_that_fails_leaves_the_call_alone(server, caplog, monkeypatch):
    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    logger = logging.getLogger("pabbly_connect")
    logger.addFilter(refuse)
    try:
        with caplog.at_level("DEBUG", "pabbly_connect"), p.PabblyConnectPlatform() as client:
            assert client.get_token(EMAIL, "conn_1").token_type == "Bearer"
    finally:
        logger.removeFilter(refuse)
    assert [type(one.exc_value) for one in told] == [KeyError] * 2


def test_on_poll_is_told_and_may_end_the_wait(server):
    polls = []
    with p.PabblyConnectPlatform() as client:
        with pytest.raises(p.WaitTimeoutError) as ended:
            client.wait_for_connection(EMAIL, "pending_1", interval=0.1, timeout=0.6, on_poll=polls.append)
        assert ended.value.connection.status == "pending"
        assert polls[0].status == "pending"
        with pytest.raises(Stopped):
            client.wait_for_connection(EMAIL, "pending_2", interval=0.1, on_poll=stop)


def stop(_poll):
    raise Stopped


def test_what_is_no_e_mail_is_refused_at_once(server):
    with p.PabblyConnectPlatform() as client:
        for email in ("", "alice", "a@b@c", "alice@example.com\r\nx: y", None, 7, b"alice@example.com"):
            with pytest.raises(p.InvalidUserEmailError):
                client.get_token(email, "conn_1")
            with pytest.raises(p.InvalidUserEmailError):
                client.customer(email)
        for options in ({"timeout": -1.0}, {"timeout": float("nan")}, {"max_retries": -1}, {"deadline": 0.0}):
            with pytest.raises(p.InvalidArgumentError):
                client.get_token(EMAIL, "conn_1", **options)
        client.get_token(EMAIL, "conn_1", timeout=float("inf"), deadline=1e300)
    assert server.counters()["requests"] == 1


def test_one_text_is_no_list_of_texts(server):
    with p.PabblyConnectPlatform() as client:
        for option in ("scopes", "allowed_apps"):
            with pytest.raises(TypeError, match="pass a list of texts"):
                client.create_request_link(EMAIL, app_id="gmail", name="Gmail", **{option: "openid"})
        assert server.counters()["connections"] == 1  # the one that asks


def test_pages_can_be_gone_through_again_and_turned_by_threads(server):
    with p.PabblyConnectPlatform() as client:
        page = client.list_apps()
        assert (page.page, page.limit, page.total, len(page.apps)) == (1, 20, 20, 20)
        assert [app.id for app in page] == [app.id for app in page]
        assert page.next_page() is None
        assert page == client.list_apps()
