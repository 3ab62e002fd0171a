"""What the service answers. Members are named as on the wire; times are RFC 3339 texts.

Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Optional, Union

from ._events import AsyncEventFeed as AsyncEventFeed
from ._events import EventFeed as EventFeed
from ._pages import AsyncList, AsyncPage, Page
from ._record import Credential, Record, records


@dataclass(frozen=True, repr=False)
class AppRef(Record):
    """The app that a connection or a link belongs to."""

    id: str
    """The app's id in the catalogue."""
    name: Optional[str] = None
    """The name to show."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


@dataclass(frozen=True, repr=False)
class ClientSetup(Record):
    """What to show to the person who is to enter the organization's OAuth client.

    The option's `input_schema` has the fields for it, `oauth_client_id` and `oauth_client_secret`.
    """

    organization: str
    """The organization's name."""
    allowed: bool
    """Whether this customer may enter it. Others are to ask an admin."""
    redirect_uri: str
    """The address to register with the client."""
    instructions_html: str
    """How to get one: paragraphs, lists, headings, code and `https` links, safe to show."""
    secret_is_known: bool
    """Whether the secret that was entered before is still there, so that its field may be left empty."""
    client_id: Optional[str] = None
    """What was entered before."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


@dataclass(frozen=True, repr=False)
class AuthOption(Record):
    """One way to authorise an app."""

    key: str
    """Unique within the app; a request link takes it as `auth_option_key`."""
    type: str
    """How the customer authorises."""
    title: str
    """The name to show."""
    description: Optional[str] = None
    """What the customer needs for it."""
    app: Optional[AppRef] = None
    """The app; only in the list of a link's options."""
    input_schema: Optional[Any] = field(default=None, hash=False)
    """A JSON Schema of what the customer is asked for; empty where nothing is asked."""
    client_setup: Optional[ClientSetup] = None
    """Only in the list of a link's options, and only where the organization's OAuth client has to be entered."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


AuthOption._made_of = {
    "app": AppRef.from_dict,
    "client_setup": ClientSetup.from_dict,
}


@dataclass(frozen=True, repr=False)
class App(Record):
    """An app of the catalogue, such as Gmail."""

    id: str
    """Opaque; store it exactly as it came."""
    name: str
    """The name to show."""
    auth_type: Optional[str] = None
    """How the app's customers authorise."""
    description: Optional[str] = None
    """One sentence for a catalogue page."""
    categories: Optional[tuple[str, ...]] = None
    """What the app is for, such as `email`."""
    docs_url: Optional[str] = None
    """The documentation of the app's own API, for developers."""
    auth_options: Optional[tuple[AuthOption, ...]] = None
    """The ways to authorise, for those who build their own connection page."""
    connectable: Optional[bool] = None
    """Whether your customers can connect it: by a form, or by OAuth with a client."""
    client_source: Optional[str] = None
    """Whose OAuth client it is connected with; absent where there is none, or none is needed."""
    redirect_uri: Optional[str] = None
    """The address to register with an OAuth client of your own; absent without OAuth."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


App._made_of = {
    "categories": tuple,
    "auth_options": records(AuthOption),
}


@dataclass(frozen=True, repr=False)
class Account(Record):
    """An account at a provider, in the provider's own words."""

    id: Optional[str] = None
    """What the provider calls it."""
    label: Optional[str] = None
    """A name for people, such as an e-mail or a workspace."""
    url: Optional[str] = None
    """Its address for people."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


@dataclass(frozen=True, repr=False)
class Reconnection(Record):
    """Why a connection needs the customer again."""

    reason: str
    """A word: `grant_refused`, the provider refused to refresh the credential; `no_refresh_token`, it has expired and
    there is nothing to refresh it with; `refresh_failed`, the provider refused to refresh it for days, in words that do
    not say why; `client_changed`, its OAuth client was changed or removed. More may follow."""
    since: str
    """When that was found."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


@dataclass(frozen=True, repr=False)
class LastError(Record):
    """Why a customer could not finish the latest link so far."""

    code: str
    """A word for programs, such as `provider_unavailable`."""
    message: str
    """A sentence for people, in the service's own words."""
    provider_message: Optional[str] = None
    """What the provider said, where it sent the customer back with an error. It comes by the customer's browser: escape
    it, and decide nothing by it."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


@dataclass(frozen=True, repr=False)
class ConnectionOrganization(Record):
    """The organization that a connection is for."""

    id: str
    """Your own id for it."""
    name: str
    """Its name."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


@dataclass(frozen=True, repr=False)
class Connection(Record):
    """One authorisation of one app, owned by one customer."""

    id: str
    """Opaque; store it exactly as it came."""
    status: str
    """Where the connection is in its life."""
    name: Optional[str] = None
    """The name that the link was made with."""
    app: Optional[AppRef] = None
    """The app; absent while the customer has not chosen one yet."""
    auth_type: Optional[str] = None
    """How the customer authorised."""
    user_email: Optional[str] = None
    """The customer's e-mail."""
    created_at: Optional[str] = None
    """When the connection was made."""
    updated_at: Optional[str] = None
    """When the connection last changed."""
    expires_at: Optional[str] = None
    """When the open link expires; only while one is open."""
    operation: Optional[str] = None
    """Whether the latest link made the connection or re-authorises it."""
    origin: Optional[str] = None
    """How it came by its credential: by a link, or by `import_connection`."""
    usages: Optional[tuple[str, ...]] = None
    """What uses the connection, see `add_usage`."""
    last_error: Optional[LastError] = None
    """Why the customer could not finish the latest link so far."""
    account: Optional[Account] = None
    """Whose account it is at the provider, where that is known."""
    provider_data: Optional[dict[str, str]] = field(default=None, hash=False)
    """What calls to the provider need beside the credential, as far as it is public."""
    api_base_url: Optional[str] = None
    """Where the provider's API is; absent where that is not known, or is secret."""
    scopes: Optional[tuple[str, ...]] = None
    """The OAuth scopes that were granted."""
    needs_reconnection: Optional[bool] = None
    """Whether the customer has to connect again."""
    reconnection: Optional[Reconnection] = None
    """Why, where `needs_reconnection` is true."""
    last_refreshed_at: Optional[str] = None
    """When the credential was last refreshed at the provider."""
    last_used_at: Optional[str] = None
    """When the credential was last vended."""
    metadata: Optional[dict[str, Any]] = field(default=None, hash=False)
    """Your own JSON object."""
    customer_id: Optional[str] = None
    """Your own id for the customer."""
    customer_name: Optional[str] = None
    """Your own name for the customer."""
    client_source: Optional[str] = None
    """Whose OAuth client it was made with, and is refreshed by."""
    organization: Optional[ConnectionOrganization] = None
    """The organization that it is for, if it is for one."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


Connection._made_of = {
    "usages": tuple,
    "scopes": tuple,
    "app": AppRef.from_dict,
    "last_error": LastError.from_dict,
    "account": Account.from_dict,
    "reconnection": Reconnection.from_dict,
    "organization": ConnectionOrganization.from_dict,
}


@dataclass(frozen=True, repr=False)
class Contact(Record):
    """A contact of one of the customer's CRMs, in the shape that all of them share."""

    id: str
    """What the CRM calls it; unique within the connection."""
    connection_id: str
    """The connection that it came by."""
    app_id: str
    """The CRM, such as `hubspot`."""
    emails: tuple[str, ...]
    """E-mail addresses, the usual one first."""
    phones: tuple[str, ...]
    """Phone numbers as the CRM writes them, the usual one first."""
    first_name: Optional[str] = None
    """Given name."""
    last_name: Optional[str] = None
    """Family name."""
    display_name: Optional[str] = None
    """A name for people."""
    company: Optional[str] = None
    """Whom the contact works for."""
    title: Optional[str] = None
    """What the contact does there."""
    url: Optional[str] = None
    """The contact's page in the CRM."""
    created_at: Optional[str] = None
    """When it was made."""
    updated_at: Optional[str] = None
    """When it last changed."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


Contact._made_of = {
    "emails": tuple,
    "phones": tuple,
}


@dataclass(frozen=True, repr=False)
class FailedConnection(Record):
    """A connection whose contacts are missing, or the rest of them."""

    connection_id: str
    """The connection's id."""
    app_id: str
    """The CRM."""
    code: str
    """A word for programs: `needs_reconnection`, `rate_limited`, `upstream_unavailable`, `provider_refused`,
    `provider_response_invalid`, `connection_deleted`. More may follow."""
    message: str
    """A sentence for people, in the service's own words."""
    retry_after: Optional[int] = None
    """Seconds until it is worth another try, where that is known."""
    provider_status: Optional[int] = None
    """The HTTP status of the CRM, where there was one."""
    cursor: Optional[str] = None
    """Goes on where it failed, with this connection alone."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


@dataclass(frozen=True, repr=False)
class Verification(Record):
    """The outcome of a check of a credential."""

    result: str
    """What the provider says."""
    checked_at: str
    """When it was asked."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


@dataclass(frozen=True, repr=False)
class RequestLink(Record):
    """A hosted page where one customer connects one app.

    Hand `request_link`, `request_token` and `connection_id` to the front end, and nothing else of the SDK's. It
    serialises whole, because it is made to be handed on; its printed forms hide the request token and the hosted page's
    address, since anybody who has it can connect an account of their own in the customer's place.
    """

    connection_id: str
    """The connection that the link is for; it is `pending` until the customer is done."""
    request_token: str
    """Lets a front end watch the link, and send in a form of its own: for the customer's own browser alone."""
    request_link: str
    """The address of the hosted page."""
    expires_at: str
    """When the link expires."""
    app: Optional[AppRef] = None
    """The app; absent where the customer picks one on the hosted page."""
    status_url: Optional[str] = None
    """The address of the public status, gated by the request token."""
    operation: Optional[str] = None
    """Whether the link makes a connection or re-authorises one in place."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""

    def __post_init__(self) -> None:
        """Have the secrets print as `[redacted]`."""
        self._hide("request_token", "request_link")


RequestLink._made_of = {
    "app": AppRef.from_dict,
}


@dataclass(frozen=True, repr=False)
class AuthOptionList(Record):
    """The ways in which a link's app can be authorised."""

    auth_options: tuple[AuthOption, ...]
    """App by app, the usual one first."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


AuthOptionList._made_of = {
    "auth_options": records(AuthOption),
}


@dataclass(frozen=True, repr=False)
class Submission(Record):
    """Where a connection stands after its form was submitted."""

    status: str
    """Where the connection is in its life."""
    authorize_url: Optional[str] = None
    """For OAuth, where to send the customer's browser."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


@dataclass(frozen=True, repr=False)
class TenantKey(Record):
    """One of the tenant's keys, without its text."""

    id: str
    """The key's opaque id."""
    family: str
    """Shared by a key and its successors."""
    capabilities: tuple[str, ...]
    """What the key opens, such as `connections`."""
    current: bool
    """Whether it is the key that asks."""
    mcp_url: bool
    """Whether a single MCP URL belongs to it."""
    created_at: str
    """When it was made."""
    name: Optional[str] = None
    """What people call it, if it has a name."""
    first_used_at: Optional[str] = None
    """When it was first used, if it was."""
    last_used_at: Optional[str] = None
    """When a token was last asked for with it, if one was."""
    revoked_at: Optional[str] = None
    """When it was retired, if it was."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


TenantKey._made_of = {
    "capabilities": tuple,
}


@dataclass(frozen=True, repr=False)
class KeyList(Record):
    """The tenant's keys."""

    keys: tuple[TenantKey, ...]
    """Those that work first, the newest of each first; 100 at most."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


KeyList._made_of = {
    "keys": records(TenantKey),
}


@dataclass(frozen=True, repr=False)
class RotatedKey(Credential):
    """A key's successor. Its text is shown this once."""

    key_id: str
    """The new key's id."""
    api_key: str
    """The new key itself; give it to `set_api_key`."""
    replaces: str
    """The id of the key that it is to replace."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""

    def __post_init__(self) -> None:
        """Have the secrets print as `[redacted]`."""
        self._hide("api_key")


@dataclass(frozen=True, repr=False)
class PromotedKey(Record):
    """A finished rotation."""

    key_id: str
    """The id of the key that goes on."""
    retired: str
    """The id of the key that ended."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


@dataclass(frozen=True, repr=False)
class OAuthClient(Record):
    """An OAuth client, without its secrets."""

    app_id: str
    """The app that it is for."""
    client_id: str
    """Its id at the provider."""
    params: tuple[str, ...]
    """The names of its further values."""
    sandbox: bool
    """Whether it is one of the provider's sandbox."""
    redirect_uri: str
    """The address that must be registered with it."""
    connections: int
    """How many connections work by it, or by one that it replaced."""
    set_by: str
    """Who entered it last: a key's id, or the e-mail of the customer who did so on the hosted page."""
    created_at: str
    """When it was first entered."""
    updated_at: str
    """When it was last changed."""
    organization_id: Optional[str] = None
    """The organization that it is of; absent for your own."""
    scopes: Optional[tuple[str, ...]] = None
    """The scopes that are asked for; absent where they are the catalogue's."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


OAuthClient._made_of = {
    "params": tuple,
    "scopes": tuple,
}


@dataclass(frozen=True, repr=False)
class OAuthClientRemoval(Record):
    """What an OAuth client that was removed leaves behind."""

    connections: int
    """How many connections end with it."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


@dataclass(frozen=True, repr=False)
class AppSettings(Record):
    """What you say of an app."""

    app_id: str
    """The app."""
    instructions: str
    """How to get a client, in CommonMark."""
    admin_role_required: bool
    """Whether only admins may enter one."""
    managed_by: Optional[str] = None
    """Who brings OAuth clients beside you and the operator, if anybody does."""
    redirect_uri: Optional[str] = None
    """The address to register with a client; absent for an app without OAuth."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


@dataclass(frozen=True, repr=False)
class AdminLink(Record):
    """A hosted page where a person looks after the OAuth clients of an organization.

    It serialises whole, because it is made to be handed on; its printed forms hide the address, since the first browser
    that opens it may change the clients.
    """

    admin_link: str
    """Where to send the person's browser, once."""
    expires_at: str
    """Until when it works."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""

    def __post_init__(self) -> None:
        """Have the secrets print as `[redacted]`."""
        self._hide("admin_link")


@dataclass(frozen=True, repr=False)
class Erasure(Record):
    """What was removed."""

    connections: int
    """How many connections there were."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


@dataclass(frozen=True, repr=False)
class EventConnection(Record):
    """A connection as it was when an event happened.

    What tells about people is absent where the service's operator keeps it out of events: then ask for the connection.
    """

    id: str
    """The connection's id."""
    status: str
    """Where the connection was in its life."""
    app_id: Optional[str] = None
    """The app; absent while the customer has not chosen one yet."""
    origin: Optional[str] = None
    """How it came by its credential."""
    name: Optional[str] = None
    """What the customer sees."""
    user_email: Optional[str] = None
    """The customer's e-mail."""
    customer_id: Optional[str] = None
    """Your own id for the customer."""
    customer_name: Optional[str] = None
    """Your own name for the customer."""
    account: Optional[Account] = None
    """Whose account it is at the provider, where that is known."""
    metadata: Optional[dict[str, Any]] = field(default=None, hash=False)
    """Your own JSON object."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


EventConnection._made_of = {
    "account": Account.from_dict,
}


@dataclass(frozen=True, repr=False)
class LinkError(Record):
    """Why a link was not finished."""

    code: str
    """A word for programs, such as `provider_unavailable`."""
    message: str
    """A sentence for people, in the service's own words."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


@dataclass(frozen=True, repr=False)
class EventKey(Record):
    """A tenant key that something happened to."""

    id: str
    """The key's opaque id."""
    capabilities: tuple[str, ...]
    """What the key opens, such as `connections`."""
    name: Optional[str] = None
    """The key's name, if it has one."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


EventKey._made_of = {
    "capabilities": tuple,
}


@dataclass(frozen=True, repr=False)
class ConnectionActive(Record):
    """A connection has a credential now."""

    connection: EventConnection
    """The connection."""
    operation: Optional[str] = None
    """Whether the connection is new or was re-authorised."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


ConnectionActive._made_of = {
    "connection": EventConnection.from_dict,
}


@dataclass(frozen=True, repr=False)
class ConnectionFailed(Record):
    """An attempt to connect failed. The link stays open."""

    connection: EventConnection
    """The connection."""
    error: LinkError
    """Why it failed."""
    operation: Optional[str] = None
    """What the link does."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


ConnectionFailed._made_of = {
    "connection": EventConnection.from_dict,
    "error": LinkError.from_dict,
}


@dataclass(frozen=True, repr=False)
class ConnectionRejected(Record):
    """The customer declined."""

    connection: EventConnection
    """The connection."""
    operation: Optional[str] = None
    """What the link does."""
    error: Optional[LinkError] = None
    """Why, where that is known."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


ConnectionRejected._made_of = {
    "connection": EventConnection.from_dict,
    "error": LinkError.from_dict,
}


@dataclass(frozen=True, repr=False)
class ConnectionExpired(Record):
    """A link expired unused."""

    connection: EventConnection
    """The connection."""
    operation: Optional[str] = None
    """What the link does."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


ConnectionExpired._made_of = {
    "connection": EventConnection.from_dict,
}


@dataclass(frozen=True, repr=False)
class ConnectionNeedsReconnection(Record):
    """A grant has ended. The customer has to connect again."""

    connection: EventConnection
    """The connection."""
    reason: str
    """A word, as in a connection's `reconnection`."""
    since: str
    """When that was found."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


ConnectionNeedsReconnection._made_of = {
    "connection": EventConnection.from_dict,
}


@dataclass(frozen=True, repr=False)
class ConnectionExpiring(Record):
    """A grant will end in 14 days or less."""

    connection: EventConnection
    """The connection."""
    expires_at: str
    """When the grant ends."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


ConnectionExpiring._made_of = {
    "connection": EventConnection.from_dict,
}


@dataclass(frozen=True, repr=False)
class ConnectionUpdated(Record):
    """A connection's name, labels, metadata or account changed."""

    connection: EventConnection
    """The connection."""
    changed: tuple[str, ...]
    """The members that changed, such as `name`."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


ConnectionUpdated._made_of = {
    "changed": tuple,
    "connection": EventConnection.from_dict,
}


@dataclass(frozen=True, repr=False)
class ConnectionDeleted(Record):
    """A connection and its credential were deleted."""

    connection: EventConnection
    """The connection as it was."""
    by: str
    """Who deleted it."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


ConnectionDeleted._made_of = {
    "connection": EventConnection.from_dict,
}


@dataclass(frozen=True, repr=False)
class OAuthClientChanged(Record):
    """An OAuth client was made, changed or removed."""

    app_id: str
    """The app that it is for."""
    change: str
    """What happened to it."""
    organization_id: Optional[str] = None
    """The organization that it belongs to; absent for your own."""
    by: Optional[str] = None
    """Who did it, where that is known."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


@dataclass(frozen=True, repr=False)
class KeyChanged(Record):
    """Something happened to a tenant key."""

    key: EventKey
    """The key, without its text."""
    by: Optional[str] = None
    """By what means, such as `api` or `command_line`."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


KeyChanged._made_of = {
    "key": EventKey.from_dict,
}


@dataclass(frozen=True, repr=False)
class WebhookTest(Record):
    """A request that tries a webhook endpoint out."""

    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


@dataclass(frozen=True, repr=False)
class AppPage(Page[App]):
    """One page of the catalogue. Iterating over it goes through this page and all that follow."""

    apps: tuple[App, ...]
    """The apps of this page."""
    page: Optional[int] = None
    """Which page this is, from 1."""
    limit: Optional[int] = None
    """How many items a full page holds."""
    total: Optional[int] = None
    """How many items there are on all pages."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""

    @property
    def _items(self) -> tuple[App, ...]:
        return self.apps


AppPage._made_of = {"apps": records(App)}


@dataclass(frozen=True, repr=False)
class ConnectionPage(Page[Connection]):
    """One page of a customer's connections. Iterating over it goes through this page and all that follow."""

    connections: tuple[Connection, ...]
    """The connections of this page."""
    page: Optional[int] = None
    """Which page this is, from 1."""
    limit: Optional[int] = None
    """How many items a full page holds."""
    total: Optional[int] = None
    """How many items there are on all pages."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""

    @property
    def _items(self) -> tuple[Connection, ...]:
        return self.connections


ConnectionPage._made_of = {"connections": records(Connection)}


@dataclass(frozen=True, repr=False)
class ContactPage(Page[Contact]):
    """One page of the contacts of a customer's CRMs. Iterating over it goes through this page and all that follow."""

    contacts: tuple[Contact, ...]
    """The contacts of this page."""
    next_cursor: Optional[str] = None
    """Where the next page begins; None on the last page."""
    errors: tuple[FailedConnection, ...] = ()
    """The connections whose contacts are missing, or the rest of them."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""

    @property
    def _items(self) -> tuple[Contact, ...]:
        return self.contacts


ContactPage._made_of = {"contacts": records(Contact), "errors": records(FailedConnection)}


@dataclass(frozen=True, repr=False)
class AsyncAppPage(AsyncPage[App]):
    """One page of the catalogue. `async for` over it goes through this page and all that follow."""

    apps: tuple[App, ...]
    """The apps of this page."""
    page: Optional[int] = None
    """Which page this is, from 1."""
    limit: Optional[int] = None
    """How many items a full page holds."""
    total: Optional[int] = None
    """How many items there are on all pages."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""

    @property
    def _items(self) -> tuple[App, ...]:
        return self.apps


AsyncAppPage._made_of = {"apps": records(App)}


class AsyncAppList(AsyncList[AsyncAppPage, App]):
    """A call for apps: `await` gives one page, `async for` goes through all."""

    __slots__ = ()


@dataclass(frozen=True, repr=False)
class AsyncConnectionPage(AsyncPage[Connection]):
    """One page of a customer's connections. `async for` over it goes through this page and all that follow."""

    connections: tuple[Connection, ...]
    """The connections of this page."""
    page: Optional[int] = None
    """Which page this is, from 1."""
    limit: Optional[int] = None
    """How many items a full page holds."""
    total: Optional[int] = None
    """How many items there are on all pages."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""

    @property
    def _items(self) -> tuple[Connection, ...]:
        return self.connections


AsyncConnectionPage._made_of = {"connections": records(Connection)}


class AsyncConnectionList(AsyncList[AsyncConnectionPage, Connection]):
    """A call for connections: `await` gives one page, `async for` goes through all."""

    __slots__ = ()


@dataclass(frozen=True, repr=False)
class AsyncContactPage(AsyncPage[Contact]):
    """One page of the contacts of a customer's CRMs. `async for` over it goes through this page and all that follow."""

    contacts: tuple[Contact, ...]
    """The contacts of this page."""
    next_cursor: Optional[str] = None
    """Where the next page begins; None on the last page."""
    errors: tuple[FailedConnection, ...] = ()
    """The connections whose contacts are missing, or the rest of them."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""

    @property
    def _items(self) -> tuple[Contact, ...]:
        return self.contacts


AsyncContactPage._made_of = {"contacts": records(Contact), "errors": records(FailedConnection)}


class AsyncContactList(AsyncList[AsyncContactPage, Contact]):
    """A call for contacts: `await` gives one page, `async for` goes through all."""

    __slots__ = ()


EventData = Union[
    ConnectionActive,
    ConnectionFailed,
    ConnectionRejected,
    ConnectionExpired,
    ConnectionNeedsReconnection,
    ConnectionExpiring,
    ConnectionUpdated,
    ConnectionDeleted,
    OAuthClientChanged,
    KeyChanged,
    WebhookTest,
    dict[str, Any],
]

_DATA: dict[str, type[Record]] = {
    "connection.active": ConnectionActive,
    "connection.failed": ConnectionFailed,
    "connection.rejected": ConnectionRejected,
    "connection.expired": ConnectionExpired,
    "connection.needs_reconnection": ConnectionNeedsReconnection,
    "connection.expiring": ConnectionExpiring,
    "connection.updated": ConnectionUpdated,
    "connection.deleted": ConnectionDeleted,
    "oauth_client.changed": OAuthClientChanged,
    "key.created": KeyChanged,
    "key.rotated": KeyChanged,
    "key.promoted": KeyChanged,
    "key.revoked": KeyChanged,
    "webhook.test": WebhookTest,
}


@dataclass(frozen=True, repr=False)
class Event(Record):
    """Something that happened to one of the tenant's connections, OAuth clients or keys."""

    id: str
    """Opaque, and the same however often the event is given or brought: by it you know what you have handled."""
    type: str
    """What happened, such as `connection.active`."""
    timestamp: str
    """When it happened."""
    data: EventData = field(hash=False)
    """What there is to tell about it: an object of a class for each type; of an unknown type, what came."""
    cursor: str = ""
    """Its place in the feed, from which `events` goes on; empty for an event that is in no feed."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Event":
        """Make it of a JSON object, such as one that `to_dict` gave."""
        known = _DATA.get(data["type"])
        told: dict[str, Any] = data["data"] or {}
        return super().from_dict({**data, "data": known.from_dict(told) if known else told})


@dataclass(frozen=True, repr=False)
class ErrorResponse(Record):
    """The response that an error was made from, without credentials."""

    status: int
    """The HTTP status."""
    headers: dict[str, str] = field(default_factory=dict, hash=False)
    """The headers, names in lower case, without those that hold credentials or cookies."""
    body: Any = field(default=None, hash=False)
    """The body: parsed where it was JSON, else its text; None where it was empty or did not arrive."""
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""


@dataclass(frozen=True)
class Poll:
    """What a wait has just learned."""

    status: Optional[str]
    """The connection's status; None where the poll failed in a way that the wait survives."""
    phase: Optional[str]
    """How far the customer has come; None where that is not known: it is of a link that this client made."""
    next_in: float
    """Seconds until the next poll is expected; 0 where the service keeps the request until there is news."""


def listener(on_poll: Optional[Callable[[Poll], object]]) -> Optional[Callable[..., object]]:
    """Make polls of what the native module tells of them."""
    return None if on_poll is None else lambda *told: on_poll(Poll(*told))
