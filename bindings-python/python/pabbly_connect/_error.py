"""The base of all errors. The other classes are in `errors`, which is generated."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._models import Connection, ErrorResponse


class PabblyConnectError(Exception):
    """A call failed. Its texts and attributes are safe to log: they never hold a key or a token."""

    message: str
    """What happened and what to do."""
    status: int | None
    """The HTTP status of the answer; None where there was no usable answer."""
    code: str | None
    """The service's `data.code` as it came; the SDK's own code for errors that no answer caused."""
    response: ErrorResponse | None
    """The answer behind the error, without credentials."""
    attempts: int
    """How many requests were sent for this call."""
    retry_after: float | None
    """Seconds that the service asked to wait before the next request."""
    connection: Connection | None
    """The connection as a wait last saw it, if it did; only with `WaitTimeoutError`."""
    fields: dict[str, str] | None
    """Of `submit_credentials` and `import_connection`, what is wrong with each field, for the customer."""
    oldest_cursor: str | None
    """Where the feed of events begins now; only with `CursorExpiredError`."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        response: ErrorResponse | None = None,
        attempts: int = 0,
        retry_after: float | None = None,
        connection: Connection | None = None,
        fields: dict[str, str] | None = None,
        oldest_cursor: str | None = None,
    ) -> None:
        """Make an error; only the SDK and tests do."""
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.response = response
        self.attempts = attempts
        self.retry_after = retry_after
        self.connection = connection
        self.fields = fields
        self.oldest_cursor = oldest_cursor

    def __str__(self) -> str:
        """Give the message with the HTTP status and the code."""
        known = [f"HTTP {self.status}"] if self.status is not None else []
        if known and self.code is not None:
            known.append(self.code)
        return f"{self.message} ({', '.join(known)})" if known else self.message

    def __repr__(self) -> str:
        """Show the class and what tells errors apart."""
        return f"{type(self).__name__}({self.message!r}, status={self.status}, code={self.code!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle everything: errors pass between processes."""
        return _restore, (type(self), self.message, self.__dict__)


def _restore(cls: type[PabblyConnectError], message: str, attributes: dict[str, Any]) -> PabblyConnectError:
    error = cls(message)
    error.__dict__.update(attributes)
    return error
