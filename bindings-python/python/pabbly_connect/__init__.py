"""The Python SDK of a connection manager.

Let your customers connect their Gmail, Slack, HubSpot and so on, then ask for a working credential whenever you act
for them::

    from pabbly_connect import PabblyConnectPlatform

    pc = PabblyConnectPlatform()  # PC_TENANT_KEY
    link = pc.create_request_link("alice@example.com", app_id="gmail", name="Work Gmail")
    # hand link.request_link to the customer's browser, then
    connection = pc.wait_for_connection("alice@example.com", link.connection_id)
    token = pc.get_token("alice@example.com", connection.id)

`AsyncPabblyConnectPlatform` is the same for asyncio. Everything that goes wrong is a `PabblyConnectError`.

Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.
"""

from . import webhooks
from ._async import AsyncCustomer, AsyncPabblyConnectPlatform
from ._client import Customer, PabblyConnectPlatform
from ._native import VERSION as __version__
from ._native import SecretFields, Token
from ._settings import UNCHANGED, Unchanged
from .errors import (
    AuthenticationError,
    CapabilityDisabledError,
    ConnectionDeletedError,
    ConnectionInUseError,
    CursorExpiredError,
    DecodeError,
    InvalidArgumentError,
    InvalidUserEmailError,
    NeedsReconnectionError,
    NetworkError,
    PabblyConnectError,
    RateLimitedError,
    TimeoutError,
    UpstreamUnavailableError,
    WaitTimeoutError,
    WebhookVerificationError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._models import (
        Account,
        App,
        AppPage,
        AppRef,
        AsyncAppList,
        AsyncAppPage,
        AsyncConnectionList,
        AsyncConnectionPage,
        AsyncContactList,
        AsyncContactPage,
        AsyncEventFeed,
        AuthOption,
        AuthOptionList,
        Connection,
        ConnectionActive,
        ConnectionDeleted,
        ConnectionExpired,
        ConnectionExpiring,
        ConnectionFailed,
        ConnectionNeedsReconnection,
        ConnectionPage,
        ConnectionRejected,
        ConnectionUpdated,
        Contact,
        ContactPage,
        ErrorResponse,
        Event,
        EventConnection,
        EventFeed,
        EventKey,
        FailedConnection,
        KeyChanged,
        KeyList,
        LastError,
        LinkError,
        OAuthClientChanged,
        Poll,
        PromotedKey,
        Reconnection,
        RequestLink,
        RotatedKey,
        Submission,
        TenantKey,
        Verification,
        WebhookTest,
    )

__all__ = [
    "Account",
    "App",
    "AppPage",
    "AppRef",
    "AsyncAppList",
    "AsyncAppPage",
    "AsyncConnectionList",
    "AsyncConnectionPage",
    "AsyncContactList",
    "AsyncContactPage",
    "AsyncCustomer",
    "AsyncEventFeed",
    "AsyncPabblyConnectPlatform",
    "AuthOption",
    "AuthOptionList",
    "AuthenticationError",
    "CapabilityDisabledError",
    "Connection",
    "ConnectionActive",
    "ConnectionDeleted",
    "ConnectionDeletedError",
    "ConnectionExpired",
    "ConnectionExpiring",
    "ConnectionFailed",
    "ConnectionInUseError",
    "ConnectionNeedsReconnection",
    "ConnectionPage",
    "ConnectionRejected",
    "ConnectionUpdated",
    "Contact",
    "ContactPage",
    "CursorExpiredError",
    "Customer",
    "DecodeError",
    "ErrorResponse",
    "Event",
    "EventConnection",
    "EventFeed",
    "EventKey",
    "FailedConnection",
    "InvalidArgumentError",
    "InvalidUserEmailError",
    "KeyChanged",
    "KeyList",
    "LastError",
    "LinkError",
    "NeedsReconnectionError",
    "NetworkError",
    "OAuthClientChanged",
    "PabblyConnectError",
    "PabblyConnectPlatform",
    "Poll",
    "PromotedKey",
    "RateLimitedError",
    "Reconnection",
    "RequestLink",
    "RotatedKey",
    "SecretFields",
    "Submission",
    "TenantKey",
    "TimeoutError",
    "Token",
    "UNCHANGED",
    "Unchanged",
    "UpstreamUnavailableError",
    "Verification",
    "WaitTimeoutError",
    "WebhookTest",
    "WebhookVerificationError",
    "__version__",
    "webhooks",
]


def __getattr__(name: str) -> object:
    """Load the classes of results when they are first needed: dataclasses take longer to import than all else."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import _models

    globals()[name] = result = getattr(_models, name)
    return result
