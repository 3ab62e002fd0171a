"""The guide's seven operations and every code of errors, with the client that openapi-python-client generates."""

import json
import os

from platform_client import AuthenticatedClient, Client
from platform_client.api.apps import get_app, list_apps
from platform_client.api.connect_flow import submit_credentials
from platform_client.api.connections import (
    create_request_link,
    delete_connection,
    get_connection,
    list_connections,
)
from platform_client.api.events import list_events
from platform_client.api.operations import get_liveness
from platform_client.api.proxy import proxy_get
from platform_client.api.tokens import get_token
from platform_client.models import (
    ConnectionStatus,
    CreateRequestLink,
    ErrorAnswer,
    FieldsToken,
    SubmitCredentials,
    SubmitCredentialsFields,
)

EMAIL = "alice@example.com"
client = AuthenticatedClient(base_url=os.environ["PC_BASE_URL"], token=os.environ["PC_TENANT_KEY"])

apps = list_apps.sync(client=client, search="sendgrid").data.apps
app = get_app.sync(apps[0].id, client=client).data
assert app == apps[0] and app.auth_options[0].input_schema.required == ["api_key"], app

link = create_request_link.sync(
    client=client, x_user_email=EMAIL, body=CreateRequestLink(app_id=app.id, name="Work")
).data
pending = get_connection.sync(link.connection_id, client=client, x_user_email=EMAIL).data
assert (pending.status, pending.app.id) == (ConnectionStatus.PENDING, app.id), pending

fields = SubmitCredentialsFields.from_dict({"api_key": "SG.test"})
form = SubmitCredentials(auth_option_key=app.auth_options[0].key, fields=fields)
browser = Client(base_url=os.environ["PC_BASE_URL"], headers={"x-request-token": link.request_token})
submitted = submit_credentials.sync(link.connection_id, client=browser, body=form)
assert submitted.data.status == ConnectionStatus.ACTIVE, submitted
active = get_connection.sync(link.connection_id, client=client, x_user_email=EMAIL).data
assert (active.status, active.expires_at) == (ConnectionStatus.ACTIVE, None), active

token = get_token.sync(link.connection_id, client=client, x_user_email=EMAIL).data
assert isinstance(token, FieldsToken) and token.expires_in is None, token
assert token.fields["api_key"] == "SG.test"
page = list_connections.sync(client=client, x_user_email=EMAIL).data
assert [one.id for one in page.connections] == [link.connection_id], page
deletion = delete_connection.sync(link.connection_id, client=client, x_user_email=EMAIL).data
assert deletion.revocation == "none", deletion
gone = get_connection.sync(link.connection_id, client=client, x_user_email=EMAIL)
assert isinstance(gone, ErrorAnswer) and gone.data.code == "connection_deleted", gone

codes = json.loads(os.environ["ERROR_CODES"])
for code, status in codes.items():
    stub = AuthenticatedClient(base_url=os.environ["STUB_URL"], token="pk", headers={"x-error-code": code})
    if status == 405:  # no operation is sent with a wrong method
        answer = get_liveness.sync_detailed(client=stub)
    elif status in {502, 504}:  # a provider failed
        answer = proxy_get.sync_detailed("conn_1", "me", client=stub, x_user_email=EMAIL)
    elif code == "cursor_expired":
        answer = list_events.sync_detailed(client=stub)
    else:
        body = CreateRequestLink(app_id="gmail", name="Work")
        answer = create_request_link.sync_detailed(client=stub, x_user_email=EMAIL, body=body)
    assert isinstance(answer.parsed, ErrorAnswer), (code, answer)
    assert (answer.status_code, answer.parsed.data.code) == (status, code), answer
print(f"openapi-python-client: seven operations and {len(codes)} codes")
