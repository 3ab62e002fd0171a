"""Webhooks: whether a request was signed with your endpoint's secret, and the event that it brings."""

from __future__ import annotations

from ._native import verify_webhook
from .errors import InvalidArgumentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from typing import Any

    from ._models import Event

__all__ = ["verify"]

_HEADERS = {"webhook-id", "webhook-timestamp", "webhook-signature"}


def verify(
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
    body: bytes | str,
    secret: str | Iterable[str],
    *,
    received_at: datetime | None = None,
) -> Event:
    """Verify a webhook and give its event.

    `body` is the request's as it came: what was parsed and written again is no longer what was signed. With several
    secrets one of them must fit, as while the endpoint's is rotated. `received_at` is when the request came, by default
    now: for those that were kept for a while.

    Raises `WebhookVerificationError`, whose `code` says why, where the request is no webhook of this endpoint: respond
    with 400, and do nothing that it says. Raises `InvalidArgumentError` where a secret is none: it
    is base64 of at least 24 bytes, with or without `whsec_`.
    """
    try:
        if not isinstance(body, (bytes, str)):  # pyright: ignore[reportUnnecessaryIsInstance]
            message = "body must be the bytes or the text of the request as it came, before anything parses it"
            raise InvalidArgumentError(message, code="invalid_argument")
        items = getattr(headers, "items", None)
        pairs: Any = headers if items is None else items()
        # A server may hand on bytes that are no text, and text with lone surrogates. Neither was signed.
        own: list[tuple[str, str]] = [
            (name, value.encode(errors="replace").decode())
            for name, value in pairs
            if isinstance(name, str) and isinstance(value, str) and name.lower() in _HEADERS
        ]
        at = None if received_at is None else received_at.timestamp()
        sent = body.encode(errors="surrogatepass") if isinstance(body, str) else body
        verify_webhook(own, sent, [secret] if isinstance(secret, str) else list(secret or ()), at)
    finally:
        # What prints a traceback's variables must not find it.
        del secret
    # What is imported with the package is little: see tests/import_time.py.
    from json import loads

    from ._models import Event

    return Event.from_dict(loads(body))
