"""Each attempt, retry and poll, told to the logger `pabbly_connect`."""

from __future__ import annotations

import sys


def wanted() -> bool:
    """Whether anybody reads the log. A program that never imported `logging` does not."""
    logging = sys.modules.get("logging")
    return logging is not None and logging.getLogger("pabbly_connect").isEnabledFor(logging.INFO)


def write(level: int, text: str) -> None:
    """Write one line; called by the native module."""
    import logging

    logging.getLogger("pabbly_connect").log(level, "%s", text)
