"""Webhooks as tests/webhooks.json has them for every language, and as another implementation signs them."""

import importlib.util
import json
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django
import pabbly_connect as p
import pytest
from django.conf import settings
from django.test import RequestFactory
from fastapi.testclient import TestClient
from pabbly_connect import webhooks
from standardwebhooks import Webhook

ROOT = Path(__file__).parents[2]
CASES = json.loads((ROOT / "tests/webhooks.json").read_text())
SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
EVENT = {
    "id": "evt_1",
    "type": "connection.needs_reconnection",
    "timestamp": "2026-11-29T12:00:00Z",
    "cursor": "a1",
    "data": {
        "connection": {"id": "conn_1", "status": "expired", "origin": "link"},
        "reason": "grant_refused",
        "since": "2026-11-29T12:00:00Z",
    },
}
BODY = json.dumps(EVENT)


def signed(at=None):
    """Give the headers that the other implementation makes."""
    at = at or datetime.now(UTC)
    signature = Webhook(SECRET).sign("evt_1", at, BODY)
    return {"webhook-id": "evt_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_every_webhook_ends_as_its_case_says(case):
    def verify():
        received_at = datetime.fromtimestamp(case["received_at"], UTC)
        return webhooks.verify(case["headers"], case["body"], case["secrets"], received_at=received_at)

    if "event" in case["expect"]:
        assert verify().to_dict() == case["expect"]["event"]
        return
    code = case["expect"]["code"]
    kind = p.InvalidArgumentError if code == "invalid_argument" else p.WebhookVerificationError
    with pytest.raises(kind) as caught:
        verify()
    assert caught.value.code == code
    assert "conn_1" not in str(caught.value)


def test_a_known_type_is_a_class_of_its_own():
    event = webhooks.verify(signed(), BODY, SECRET)
    assert isinstance(event.data, p.ConnectionNeedsReconnection)
    assert (event.data.connection.id, event.data.reason) == ("conn_1", "grant_refused")
    again = p.Event.from_dict(event.to_dict())
    assert (again, hash(again)) == (event, hash(event))


def test_what_standardwebhooks_signs_is_verified_whatever_holds_it():
    headers = signed()
    for form in (headers, headers.items(), [*headers.items(), ("host", "a")], {**headers, "Cookie": "b"}):
        for body in (BODY, BODY.encode()):
            assert webhooks.verify(form, body, SECRET).to_dict() == EVENT
    assert webhooks.verify(headers, BODY, (text for text in ["whsec_" + "A" * 32, SECRET])).id == "evt_1"


def test_what_is_no_text_is_no_webhook():
    headers = signed()
    for name in headers:
        for value in ("\udc80", "\ud800", headers[name].encode(), None):
            with pytest.raises(p.WebhookVerificationError):
                webhooks.verify({**headers, name: value}, BODY, SECRET)
    with pytest.raises(p.WebhookVerificationError):
        webhooks.verify({name.encode(): value.encode() for name, value in headers.items()}, BODY, SECRET)
    with pytest.raises(p.WebhookVerificationError):
        webhooks.verify(headers, BODY + "\udc80", SECRET)
    assert webhooks.verify({**headers, b"host": b"a", "webhook-\udc80": "b"}, BODY, SECRET).id == "evt_1"


def test_by_default_a_webhook_came_now():
    for hours, code in ((-1, "too_old"), (1, "too_new")):
        with pytest.raises(p.WebhookVerificationError) as caught:
            webhooks.verify(signed(datetime.now(UTC) + timedelta(hours=hours)), BODY, SECRET)
        assert caught.value.code == code


def test_what_is_no_body_or_no_secret_is_refused():
    for body in (EVENT, None):
        with pytest.raises(p.InvalidArgumentError, match="before anything parses it"):
            webhooks.verify(signed(), body, SECRET)
    with pytest.raises(p.InvalidArgumentError, match="at least one secret"):
        webhooks.verify(signed(), BODY, None)


def test_a_traceback_does_not_show_the_secret():
    try:
        webhooks.verify(signed(), BODY, "whsec_" + "canarycanarycanarycanary")
    except p.PabblyConnectError as error:
        stack = traceback.TracebackException.from_exception(error, capture_locals=True).stack
    own = [frame for frame in stack if "pabbly_connect" in frame.filename]
    assert own
    assert "canary" not in str([frame.locals for frame in own])


def example(name):
    """Load an example of docs/receiving-webhooks.md."""
    spec = importlib.util.spec_from_file_location(name, ROOT / f"examples/webhooks/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_in_fastapi_takes_webhooks_alone(monkeypatch, capsys):
    monkeypatch.setenv("PC_WEBHOOK_SECRET", SECRET)
    client = TestClient(example("fastapi_app").app)
    assert client.post("/hooks/connect", content=BODY, headers=signed()).status_code == 204
    assert capsys.readouterr().out == "ask for conn_1 again: grant_refused\n"
    refused = client.post("/hooks/connect", content=BODY + " ", headers=signed())
    assert (refused.status_code, refused.json()) == (400, {"detail": "bad_signature"})


def test_the_example_in_django_takes_webhooks_alone(monkeypatch, capsys):
    monkeypatch.setenv("PC_WEBHOOK_SECRET", SECRET)
    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"])
        django.setup()
    receive = example("django_views").receive

    def post(body):
        request = RequestFactory().post("/hooks/connect", body, content_type="application/json", headers=signed())
        return receive(request)

    assert post(BODY).status_code == 204
    assert capsys.readouterr().out == "ask for conn_1 again: grant_refused\n"
    refused = post(BODY + " ")
    assert (refused.status_code, refused.content) == (400, b"bad_signature")
