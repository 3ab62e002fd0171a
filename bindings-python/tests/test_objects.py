"""Results and errors as Python objects."""

import asyncio
import copy
import dataclasses
import http.server
import json
import logging
import pickle
import pprint
import threading
import traceback

import fastapi
import httpx
import pabbly_connect as p
import pytest
import requests
from conftest import EMAIL

CANARY = "canary"


@pytest.fixture
def token(server):
    with p.PabblyConnectPlatform() as client:
        return client.get_token(EMAIL, "conn_1")


def test_a_token_is_read_by_its_attributes_alone(token, caplog, capsys):
    assert token.access_token == "ya29.canary"
    assert token.authorization == "Bearer ya29.canary"
    assert (token.token_type, token.expires_in, token.auth_type, token.fields) == ("Bearer", 3599, "o_auth", None)
    assert token.to_dict()["access_token"] == "ya29.canary"
    texts = [
        repr(token),
        str(token),
        f"{token}",
        f"{token!r:>9}",
        f"{token!s}",
        pprint.pformat({"t": [token]}),
        "%s" % token,
    ]
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("app").warning("got %s %r", token, token)
    print(token)
    try:
        raise ValueError(token)
    except ValueError as error:
        lines = traceback.TracebackException.from_exception(error, capture_locals=False).format()
        texts += [*lines, repr(error), *traceback.format_exception(error)]
    try:
        held = token
        assert held
        raise RuntimeError
    except RuntimeError as error:
        stack = traceback.TracebackException.from_exception(error, capture_locals=True).stack
        texts.append(stack[-1].locals["held"])
    text = "".join([*texts, caplog.text, capsys.readouterr().out])
    assert CANARY not in text
    assert "[redacted]" in text


def test_a_token_cannot_be_stored(token):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(token, protocol)
    for refuse in (vars, bytes, hash, json.dumps, iter, memoryview, lambda token: format(token, ">9")):
        with pytest.raises(TypeError):
            refuse(token)
    assert copy.copy(token) is token
    assert copy.deepcopy([token])[0] is token
    with pytest.raises(AttributeError):
        token.access_token = "x"
    with pytest.raises(TypeError):
        type(token)()


@pytest.mark.parametrize("kind", [p.PabblyConnectPlatform, p.AsyncPabblyConnectPlatform])
def test_clients_are_shared_by_copies_and_never_stored(kind):
    client = kind()
    for shared in (client, client.customer(EMAIL)):
        assert copy.copy(shared) is shared
        assert copy.deepcopy({"in": [shared]})["in"][0] is shared
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="a client cannot be pickled"):
                pickle.dumps(shared, protocol)


def test_tokens_compare_and_match(token, server):
    with p.PabblyConnectPlatform() as client:
        assert token == client.get_token(EMAIL, "conn_1")
    assert token != "ya29.canary"
    match token:
        case p.Token("o_auth", str(access_token)):
            assert access_token == "ya29.canary"
        case _:
            pytest.fail("no match")


def test_records_are_frozen_comparable_and_whole():
    wire = {"id": "c1", "status": "paused", "app": {"id": "gmail", "colour": "red"}, "new": [1]}
    connection = p.Connection.from_dict(wire)
    assert (connection.id, connection.status, connection.name) == ("c1", "paused", None)
    assert connection.app == p.AppRef.from_dict({"id": "gmail", "colour": "red"})
    assert connection.app.extra == {"colour": "red"}
    assert connection.extra == {"new": [1]}
    assert connection.to_dict() == wire
    connection.to_dict()["app"]["id"] = "changed"
    assert connection.app.id == "gmail"
    with pytest.raises(AttributeError):
        connection.status = "active"
    with pytest.raises(AttributeError):
        del connection.status
    again = [pickle.loads(pickle.dumps(connection)), copy.deepcopy(connection), copy.copy(connection)]
    assert again == [connection] * 3
    assert len({connection, *again}) == 1
    assert connection != dataclasses.replace(connection, status="active")
    assert connection != p.AppRef.from_dict(wire)
    match connection:
        case p.Connection(id="c1", app=p.AppRef("gmail")):
            pass
        case _:
            pytest.fail("no match")
    assert repr(p.AppRef(id="gmail")) == "AppRef(id='gmail')"


def test_users_make_results_for_their_own_tests():
    made = p.Connection(id="c1", status="active", app=p.AppRef(id="gmail"))
    assert made == p.Connection.from_dict({"id": "c1", "status": "active", "app": {"id": "gmail"}})
    assert made.to_dict() == {"id": "c1", "status": "active", "app": {"id": "gmail"}}
    with pytest.raises(TypeError, match="status"):
        p.Connection(id="c1")
    page = p.AppPage(apps=(p.App(id="gmail", name="Gmail"),), total=1)
    assert pickle.loads(pickle.dumps(page)) == copy.copy(page) == page
    with pytest.raises(p.InvalidArgumentError, match="copied"):
        page.next_page()


def test_a_member_of_the_wire_may_be_called_extra():
    assert p.AppRef.from_dict({"id": "a", "extra": 7}).extra == {"extra": 7}
    assert p.AppRef.from_dict({"id": "a", "extra": 7}).to_dict() == {"id": "a", "extra": 7}


def test_fastapi_sends_results():
    app = fastapi.FastAPI()
    link = {"connection_id": "c1", "request_token": "rt", "request_link": "https://a", "expires_at": "x"}

    @app.get("/link")
    def _link() -> p.RequestLink:
        return p.RequestLink.from_dict(link)

    @app.get("/apps", response_model_exclude_none=True)
    def _apps() -> p.AppPage:
        return p.AppPage.from_dict({"apps": [{"id": "gmail", "name": "Gmail", "categories": ["email"]}]})

    empty = {"app": None, "status_url": None, "operation": None, "extra": {}}
    assert ask(app, "/link") == {**link, **empty}
    gmail = {"id": "gmail", "name": "Gmail", "categories": ["email"], "extra": {}}
    assert ask(app, "/apps") == {"apps": [gmail], "extra": {}}


def ask(app, path):
    """Send a request as an ASGI server does."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
    asyncio.run(app(scope, receive, send))
    assert sent[0]["status"] == 200
    return json.loads(b"".join(message.get("body", b"") for message in sent))


def test_a_token_can_be_made_for_a_test():
    token = p.Token.of(access_token="canary", token_type="Bearer", expires_in=60)
    assert (token.auth_type, token.authorization, token.expires_in) == ("o_auth", "Bearer canary", 60)
    fields = p.Token.of(auth_type="api_key", fields={"key": "canary"})
    assert fields.fields["key"] == "canary"
    assert CANARY not in f"{token} {fields!r} {fields.fields}"
    for wrong in ({}, {"auth_type": "basic"}, {"access_token": None}):
        with pytest.raises(p.InvalidArgumentError, match="access_token"):
            p.Token.of(**wrong)


API = {
    "access_token": "canary",
    "api_base_url": "https://canary.example/v1",
    "api_headers": {"Authorization": "Bearer canary", "Accept": "application/json"},
    "api_query": {"key": "canary"},
}


def test_a_token_is_applied_to_a_path():
    request = p.Token.of(**API).apply("/users?x=1", headers={"accept": "text/csv"})
    assert request == {
        "url": "https://canary.example/v1/users?x=1&key=canary",
        "headers": {"authorization": "Bearer canary", "accept": "text/csv"},
    }
    assert CANARY not in f"{request} {request!r} {pprint.pformat(request)} {[request]}"
    for path in ("https://evil.example/", "/../x", "/x?key=mine"):
        with pytest.raises(p.InvalidArgumentError):
            p.Token.of(**API).apply(path)
    with pytest.raises(p.InvalidArgumentError, match="does not tell how"):
        p.Token.of(auth_type="basic", fields={}).apply("https://a.example/")


@pytest.mark.parametrize("client", [httpx.Client, requests.Session])
def test_http_clients_send_what_a_token_makes(client):
    seen = []

    class Api(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            seen.append((self.path, self.headers.get_all("authorization"), self.headers["accept"]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        threading.Thread(target=server.serve_forever).start()
        base_url = f"http://127.0.0.1:{server.server_port}/v1"
        token = p.Token.of(**{**API, "api_base_url": base_url})
        with client() as session:
            assert session.post(**token.apply("users", headers={"Accept": "text/csv"}), json={}).status_code == 200
        server.shutdown()
    assert seen == [("/v1/users?key=canary", ["Bearer canary"], "text/csv")]


def test_a_token_tells_whose_it_is_to_those_who_ask():
    account = {"id": "canary", "label": None, "url": None}
    token = p.Token.of(**API, account=account, scopes=["canary"], provider_data={"shop": "canary"})
    assert (token.account, token.scopes) == (p.Account(id="canary"), ["canary"])
    assert (token.provider_data["shop"], token.api_headers["Accept"]) == ("canary", "application/json")
    assert token.to_dict()["account"] == {"id": "canary"}
    assert CANARY not in f"{token} {token!r} {token.provider_data} {token.api_headers} {token.api_query}"


def test_a_new_key_is_shown_to_those_who_read_it():
    key = p.RotatedKey.from_dict({"key_id": "k2", "api_key": "pk_live_canary", "replaces": "k1"})
    assert key.api_key == "pk_live_canary"
    assert CANARY not in f"{key} {key!r} {pprint.pformat(key)} {copy.copy(key)} {copy.deepcopy([key])}"
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(key)


def test_what_is_no_json_is_refused_before_anything_is_sent():
    with p.PabblyConnectPlatform(api_key="pk", base_url="http://127.0.0.1:1") as client:
        with pytest.raises(p.InvalidArgumentError, match="metadata must be a JSON object"):
            client.update_connection(EMAIL, "c", metadata={"a": float("nan")})
        with pytest.raises(p.InvalidArgumentError, match="metadata must be a JSON object"):
            client.update_connection(EMAIL, "c", metadata="{}")
        with pytest.raises(p.InvalidArgumentError, match="fields must be texts by name"):
            client.submit_credentials("c", "rt", auth_option_key="k", fields={"a": 1})


def test_a_link_prints_without_its_secrets_and_serialises_whole():
    wire = {"connection_id": "c1", "request_token": "rt_canary", "request_link": "https://a/canary", "expires_at": "x"}
    link = p.RequestLink.from_dict(wire)
    assert link.request_token == "rt_canary"
    assert (
        CANARY not in f"{link} {link!r} {pprint.pformat(link)} {vars(link)} {dataclasses.replace(link, expires_at='y')}"
    )
    assert json.loads(json.dumps(link.to_dict())) == wire


def test_errors_pickle_copy_and_chain():
    response = p.ErrorResponse(status=429, headers={"retry-after": "7"}, body={"data": None})
    error = p.RateLimitedError(
        "slow down", status=429, code="rate_limited", response=response, retry_after=7.5, attempts=1
    )
    error.__cause__ = ValueError("why")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is p.RateLimitedError
        assert vars(again) == vars(error)
        assert str(again) == "slow down (HTTP 429, rate_limited)"
    assert error.args == ("slow down",)
    assert "ValueError: why" in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("name", p.errors.__all__)
def test_every_class_of_errors_pickles(name):
    error = getattr(p, name)("text", status=400, code="x", attempts=2)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.status, str(again)) == (type(error), 400, "text (HTTP 400, x)")
    assert isinstance(error, p.PabblyConnectError)


def test_errors_are_python_s_own_too():
    assert issubclass(p.TimeoutError, TimeoutError)
    assert issubclass(p.WaitTimeoutError, TimeoutError)
    assert issubclass(p.NetworkError, ConnectionError)
    assert issubclass(p.InvalidArgumentError, ValueError)


def test_a_client_holds_its_key_for_itself():
    for kind in (p.PabblyConnectPlatform, p.AsyncPabblyConnectPlatform):
        client = kind(api_key="pk_live_canary", base_url="http://127.0.0.1:1")
        client.set_api_key("pk_live_canary_2")
        assert CANARY not in f"{client!r} {client} {[getattr(client, name) for name in client.__slots__]}"
        with pytest.raises(TypeError, match="tenant key"):
            pickle.dumps(client)
    assert repr(client.customer(EMAIL)) == f"AsyncCustomer('{EMAIL}')"
