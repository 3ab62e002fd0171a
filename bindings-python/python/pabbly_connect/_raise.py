"""Makes exceptions of what the native module knows."""

from __future__ import annotations

from json import loads

from . import errors
from ._models import Connection, ErrorResponse


def make(
    name: str,
    message: str,
    status: int | None,
    code: str | None,
    response: str | None,
    attempts: int,
    retry_after: float | None,
    connection: str | None,
) -> errors.PabblyConnectError:
    """Make the exception of this class; `response` and `connection` are JSON."""
    cls: type[errors.PabblyConnectError] = getattr(errors, name, errors.PabblyConnectError)
    return cls(
        message,
        status=status,
        code=code,
        response=None if response is None else ErrorResponse(loads(response)),
        attempts=attempts,
        retry_after=retry_after,
        connection=None if connection is None else Connection(loads(connection)),
    )
