"""Each attempt, retry and poll, written to the logger `pabbly_connect`."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from typing import Any

_DEBUG, _INFO = 10, 20
_logger: logging.Logger | None = None


def wanted() -> bool:
    """Whether anybody reads the log. A program that never imported `logging` does not."""
    if _logger is not None:
        return _logger.isEnabledFor(_INFO)
    return "logging" in sys.modules and logger().isEnabledFor(_INFO)


def logger() -> logging.Logger:
    """Give the logger, which is found once."""
    global _logger
    if _logger is None:
        import logging

        _logger = logging.getLogger("pabbly_connect")
    return _logger


def write(text: str) -> None:
    """Write an event that is told as JSON; called by the native module."""
    from json import loads

    event = loads(text)
    logger().log(_INFO if event["event"] == "retry" else _DEBUG, "%s", _line(event))


def _line(event: dict[str, Any]) -> str:
    kind, call, attempt = event["event"], event.get("call"), event.get("attempt")
    if kind == "request":
        return f"{call}: {event['method']} {event['path']} (attempt {attempt})"
    if kind == "response":
        status = "no response" if event["status"] is None else f"HTTP {event['status']}"
        request = "" if event["requestId"] is None else f", request {event['requestId']}"
        return f"{call}: {status} after {event['elapsedMs'] / 1000:.3f} s (attempt {attempt}){request}"
    delay = f"{event['delayMs'] / 1000:.3f} s"
    if kind == "retry":
        return f"{call}: attempt {attempt} failed, the next follows in {delay}"
    return f"connection {event['connectionId']} is {event['status'] or 'not known'}, the next poll follows in {delay}"
