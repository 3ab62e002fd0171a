"""What both clients are configured with."""

from __future__ import annotations

import atexit
import os
import sys

from ._native import VERSION, after_fork_in_child, before_exit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

atexit.register(before_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=after_fork_in_child)


class Unchanged:
    """The type of `UNCHANGED`."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Give the name by which programs have it."""
        return "UNCHANGED"


UNCHANGED = Unchanged()
"""In the place of what stays as it is, since None removes it."""


def changed(options: dict[str, Any]) -> dict[str, Any]:
    """Leave out what stays as it is."""
    return {name: value for name, value in options.items() if value is not UNCHANGED}


def product(user_agent: str | None) -> str:
    """Name this SDK and the interpreter, after the program's own name."""
    python = f"{sys.implementation.name}/{'.'.join(map(str, sys.version_info[:3]))}"
    own = f"pabbly-connect-python/{VERSION} {python}"
    return f"{user_agent} {own}" if user_agent else own


def pem(certificates: str | bytes | None) -> str | None:
    """Take certificates as they were read from a file."""
    return certificates.decode() if isinstance(certificates, bytes) else certificates


def listed(texts: Iterable[str] | None) -> list[str] | None:
    """Take texts in whatever holds them, but for one text, which holds its letters."""
    if isinstance(texts, str):
        raise TypeError(f"pass a list of texts, such as [{texts!r}], instead of one text")
    return None if texts is None else list(texts)
