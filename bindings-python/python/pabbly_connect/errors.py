"""The classes of errors, by what to do about them.

A cancelled call ends with asyncio's own CancelledError, or with whatever a signal's handler raised.

Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.
"""

from __future__ import annotations

import builtins

from ._error import PabblyConnectError

__all__ = [
    "AuthenticationError",
    "CapabilityDisabledError",
    "ConnectionDeletedError",
    "ConnectionInUseError",
    "CursorExpiredError",
    "DecodeError",
    "InvalidArgumentError",
    "InvalidUserEmailError",
    "NeedsReconnectionError",
    "NetworkError",
    "PabblyConnectError",
    "RateLimitedError",
    "TimeoutError",
    "UpstreamUnavailableError",
    "WaitTimeoutError",
    "WebhookVerificationError",
]


class NeedsReconnectionError(PabblyConnectError):
    """`needs_reconnection` (HTTP 401): The grant was revoked or has expired: run the connect flow again."""


class AuthenticationError(PabblyConnectError):
    """`invalid_api_key` (HTTP 401): The tenant key is missing, unknown or revoked."""


class CapabilityDisabledError(PabblyConnectError):
    """`capability_disabled` (HTTP 403): The tenant key lacks the capability."""


class ConnectionDeletedError(PabblyConnectError):
    """`connection_deleted` (HTTP 404): The connection is unknown, or not yours."""


class ConnectionInUseError(PabblyConnectError):
    """`connection_in_use` (HTTP 409): The connection is in use and cannot be deleted."""


class CursorExpiredError(PabblyConnectError):
    """`cursor_expired` (HTTP 410): The cursor is older than the events that are kept."""


class InvalidUserEmailError(PabblyConnectError, ValueError):
    """`invalid_user_email` (HTTP 400): The x-user-email header is missing or invalid."""


class RateLimitedError(PabblyConnectError):
    """`rate_limited` (HTTP 429): The budget is used up: wait for Retry-After."""


class UpstreamUnavailableError(PabblyConnectError):
    """`upstream_unavailable` (HTTP 503): The provider or the service is unavailable: retry later."""


class WaitTimeoutError(PabblyConnectError, builtins.TimeoutError):
    """`wait_timeout`: The wait ended while the connection was still pending."""


class TimeoutError(PabblyConnectError, builtins.TimeoutError):
    """`timeout`: No complete answer arrived in time."""


class NetworkError(PabblyConnectError, ConnectionError):
    """`network_error`: The service could not be reached, or the connection broke."""


class DecodeError(PabblyConnectError):
    """`decode_error`: A successful answer could not be understood."""


class WebhookVerificationError(PabblyConnectError):
    """A request is no webhook of yours: respond with 400, and do nothing that it says. The code tells why.

    - `missing_header`: The webhook has no `webhook-id`, `webhook-timestamp` or `webhook-signature`.
    - `bad_signature`: No signature of the webhook was made with any of the secrets.
    - `too_old`: The webhook was signed more than five minutes ago.
    - `too_new`: The webhook was signed more than five minutes in the future.
    - `malformed_webhook`: The webhook's headers or its body are not what the contract says.
    """


class InvalidArgumentError(PabblyConnectError, ValueError):
    """`invalid_argument`: A value was refused before anything was sent."""
