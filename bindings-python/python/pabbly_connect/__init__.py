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
        ErrorResponse,
        Event,
        EventConnection,
        EventFeed,
        EventKey,
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
    from ._proxy import AsyncProxyResponse, ProxyResponse

__all__ = [
    "Account",
    "App",
    "AppPage",
    "AppRef",
    "AsyncAppList",
    "AsyncAppPage",
    "AsyncConnectionList",
    "AsyncConnectionPage",
    "AsyncCustomer",
    "AsyncEventFeed",
    "AsyncPabblyConnectPlatform",
    "AsyncProxyResponse",
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
    "CursorExpiredError",
    "Customer",
    "DecodeError",
    "ErrorResponse",
    "Event",
    "EventConnection",
    "EventFeed",
    "EventKey",
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
    "ProxyResponse",
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
    if name.endswith("ProxyResponse"):
        from . import _proxy as module
    else:
        from . import _models as module  # type: ignore[no-redef]

    globals()[name] = result = getattr(module, name)
    return result
