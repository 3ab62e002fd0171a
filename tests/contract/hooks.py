"""What schemathesis cannot do by itself: addresses outside the base URL, a request token per link, a rule, a check."""

import os

import requests
import schemathesis

ORIGIN = os.environ["FUZZ_ORIGIN"]
SEEDED_TOKEN = os.environ["FUZZ_REQUEST_TOKEN"]
STRANGERS_TOKEN = os.environ["FUZZ_STRANGERS_TOKEN"]
PENDING = os.environ["FUZZ_PENDING"]

# Request tokens of the links that this run made, by connection.
tokens: dict[str, str] = {}


@schemathesis.hook
def before_init_operation(context, operation):
    # The origin on the command line replaces the whole server, also that of paths with one of their own.
    if operation.path in ("/livez", "/readyz"):
        operation.base_url = ORIGIN


@schemathesis.hook
def before_call(context, case, kwargs):
    # Also where the connection comes from an earlier response: no generated call reaches a provider.
    if "/proxy/" in case.operation.path:
        case.path_parameters["connectionId"] = PENDING
    # Nor does a refresh token: this app's token endpoint is one that nobody has.
    if case.operation.label == "POST /connections/import" and isinstance(case.body, dict):
        if "refresh_token" in case.body and case.body.get("app_id") == "github":
            case.body["app_id"] = "gmail"
    # Only the default is replaced, so that checks can still send a wrong token or none.
    token = tokens.get((case.path_parameters or {}).get("connectionId"))
    if token and case.headers.get("x-request-token") == SEEDED_TOKEN:
        case.headers["x-request-token"] = token


@schemathesis.hook
def after_call(context, case, response):
    if case.operation.label == "POST /connections/request-link" and response.status_code == 200:
        data = response.json()["data"]
        tokens[data["connection_id"]] = data["request_token"]


# What the schema leaves to the description: that a tenant has a hundred keys; of `createRequestLink` which members go
# together, that an app may need an organization, that `app_id` and `organization` are those of the named connection, and
# that `webhook_url` is at a registered endpoint.
BEYOND_THE_SCHEMA = (
    "The connection is for another app",
    "The connection is for another organization, or for none",
    "organization is missing: the app is connected with",
    "revoke one first",
    "with confirm, the customer",
    "app_id is missing",
    "app_id or allowed_apps is missing",
    "name is missing",
    "webhook_url must",
)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    # An empty list is the same for every tenant.
    if failure.code == "ST402" and '"total":0' in response.text:
        return False
    return not any(text in response.text for text in BEYOND_THE_SCHEMA)


@schemathesis.check
def error_codes_are_documented(ctx, response, case):
    """A response tells one of its `x-codes`. The schema itself takes any, so that clients take those of a newer service."""
    if response.status_code < 400 or "json" not in str(response.headers.get("content-type")):
        return
    contract = case.operation.schema.raw_schema
    responses = case.operation.definition.raw["responses"]
    documented = responses.get(str(response.status_code)) or responses.get("4XX") or {}
    name = documented.get("$ref", "").rpartition("/")[2]
    codes = contract["components"]["responses"].get(name, documented).get("x-codes")
    if codes is None:
        codes = [row["value"] for row in contract["components"]["schemas"]["ErrorCode"]["x-values"]]
    code = ((response.json() or {}).get("data") or {}).get("code")
    assert code is None or code in codes, f"the contract does not list the code {code} here"


@schemathesis.check
def request_token_is_the_gate(ctx, response, case):
    """Without its link's own request token, a public endpoint answers as for an unknown connection."""
    gated = {"requestToken": []} in case.operation.definition.raw.get("security", [])
    if not gated or response.status_code != 200:
        return
    url = case.as_transport_kwargs()["url"]
    unknown = url.replace(case.path_parameters["connectionId"], "conn_unknown")
    body = {"auth_option_key": "api_key", "fields": {}} if case.method == "POST" else None
    for token in (None, "", "rt_unknown", STRANGERS_TOKEN):
        headers = {} if token is None else {"x-request-token": token}
        here, there = (requests.request(case.method, u, headers=headers, json=body, timeout=30) for u in (url, unknown))
        assert here.status_code == 404, f"{here.status_code} instead of 404 with the request token {token!r}"
        assert here.content == there.content, f"not the answer for an unknown connection: {here.text}"
