"""Makes exceptions of what the native module knows."""

from __future__ import annotations

from json import loads

from . import errors


def make(text: str) -> errors.PabblyConnectError:
    """Make the exception of an error that is told as JSON."""
    error = loads(text)
    response, connection = error["response"], error["connection"]
    if response is not None or connection is not None:
        from ._models import Connection, ErrorResponse

        response = None if response is None else ErrorResponse.from_dict(response)
        connection = None if connection is None else Connection.from_dict(connection)
    cls: type[errors.PabblyConnectError] = getattr(errors, error["class"], errors.PabblyConnectError)
    return cls(
        error["message"],
        status=error["status"],
        code=error["code"],
        response=response,
        attempts=error["attempts"],
        retry_after=error["retryAfter"],
        connection=connection,
        fields=error["fields"],
        oldest_cursor=error["oldestCursor"],
    )
