"""Each attempt, retry and poll, told to the logger `pabbly_connect`."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging

_INFO = 20
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


def write(level: int, text: str) -> None:
    """Write one line; called by the native module."""
    logger().log(level, "%s", text)
