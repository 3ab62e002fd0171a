"""What schemathesis cannot do by itself: an address outside the base URL, and a request token per link."""

import os

import schemathesis

ORIGIN = os.environ["FUZZ_ORIGIN"]
SEEDED_TOKEN = os.environ["FUZZ_REQUEST_TOKEN"]

# Request tokens of the links that this run made, by connection.
tokens: dict[str, str] = {}


@schemathesis.hook
def before_init_operation(context, operation):
    # The origin on the command line replaces the whole server, also that of a path with one of its own.
    if operation.path == "/healthz":
        operation.base_url = ORIGIN


@schemathesis.hook
def before_call(context, case, kwargs):
    # Only the default is replaced, so that checks can still send a wrong token or none.
    token = tokens.get((case.path_parameters or {}).get("connectionId"))
    if token and case.headers.get("x-request-token") == SEEDED_TOKEN:
        case.headers["x-request-token"] = token


@schemathesis.hook
def after_call(context, case, response):
    if case.operation.label == "POST /connections/request-link" and response.status_code == 200:
        data = response.json()["data"]
        tokens[data["connection_id"]] = data["request_token"]
