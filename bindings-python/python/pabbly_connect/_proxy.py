"""Proxied calls. Bodies pass part by part: nothing is read, on either side, that the other did not ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Mapping
from json import loads
from typing import Any, NamedTuple, TypeVar, Union, cast

from ._logging import wanted

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterable
    from types import TracebackType
    from typing import NoReturn

    from typing_extensions import Self

    from ._native import Call, Reader, Sender

    Body = Union[str, bytes, Iterable[Union[str, bytes]]]
    AsyncBody = Union[Body, AsyncIterable[Union[str, bytes]]]
    Pairs = Union[Mapping[str, object], Iterable[tuple[str, object]]]


R = TypeVar("R", bound="_Response")


class Prepared(NamedTuple):
    """A proxied call that was not sent yet."""

    call: Call
    sender: Sender | None
    """Where the parts of the body go, where it comes in parts."""
    parts: Any
    """Where they come from."""


def prepared(native: Any, email: str, id: str, options: dict[str, Any], body: Any) -> Prepared:  # noqa: ANN401
    """Check the arguments and make the call ready."""
    whole: bytes | None = None
    try:
        whole = _bytes(body)
        parts = None if whole is not None or body is None else _parts(body)
        for name in ("query", "headers"):
            options[name] = _texts(options[name])
        call, sender = native.proxy(email, id, whole, parts is not None, options)
        return Prepared(call, sender, parts)
    finally:
        # What prints a traceback's variables must not find them.
        del options, body, whole


def _bytes(part: Any) -> bytes | None:  # noqa: ANN401
    if isinstance(part, str):
        return part.encode()
    is_bytes = any(isinstance(part, kind) for kind in (bytes, bytearray, memoryview))
    return bytes(part) if is_bytes else None


def _parts(body: Any) -> Any:  # noqa: ANN401
    """Give what goes over a body, which does not show it."""
    if hasattr(body, "__aiter__"):
        return body
    # Going over a dictionary would give its keys.
    if isinstance(body, Iterable) and not isinstance(body, Mapping):
        return iter(cast("Any", body))
    raise TypeError("body must be a text, bytes, or an iterable of them; a dictionary has to be made JSON")


def _texts(pairs: Any) -> list[str] | None:  # noqa: ANN401
    """Give names and values in turn; what is None is left out."""
    if pairs is None:
        return None
    items: Any = pairs.items() if hasattr(pairs, "items") else pairs
    return [text for name, value in items if value is not None for text in (name, _text(value))]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _part(part: object) -> bytes:
    known = _bytes(part)
    if known is None:
        raise TypeError("a body that comes in parts must give bytes or texts")
    return known


async def _feed(sender: Sender, parts: Any) -> None:  # noqa: ANN401
    """Pass a body on until it ends or no more is wanted."""
    from ._bridge import run

    try:
        if hasattr(parts, "__aiter__"):
            async for part in parts:
                if not await run(sender.send(_part(part))):
                    break
        else:
            for part in parts:
                if not await run(sender.send(_part(part))):
                    break
        sender.finish()
    finally:
        sender.fail()
        if (close := getattr(parts, "aclose", None)) is not None:
            await close()


def _seen(feeding: asyncio.Task[None]) -> None:
    """Look at how a task ended: what it raises after the response has come, reading the body tells."""
    if not feeding.cancelled():
        feeding.exception()


class _Response:
    __slots__ = ("__weakref__", "_feeding", "_parts", "_reader", "_whole", "headers", "status")

    status: int
    """The provider's HTTP status."""
    headers: dict[str, str]
    """The headers, names in lower case; one that came several times is one, with commas."""

    def __init__(self, status: int, headers: Mapping[str, str] | None = None, body: bytes | str = b"") -> None:
        """Make a response for a test; only tests do."""
        self.status, self.headers = status, {name.lower(): value for name, value in (headers or {}).items()}
        self._reader: Reader | None = None
        self._feeding: asyncio.Task[None] | None = None
        self._parts: Iterator[bytes] | None = None
        self._whole: bytes | None = _bytes(body)

    @property
    def source(self) -> str:
        """Who answered, of `x-connect-source`: `provider`. What the platform answers is an error."""
        return self.headers.get("x-connect-source", "provider")

    def __repr__(self) -> str:
        """Show the status alone: headers and bodies are the provider's, and may hold anything."""
        return f"{type(self).__name__}(status={self.status})"

    def __copy__(self) -> Self:
        """Give the response itself: its body is there once."""
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        """Give the response itself, also where it is part of what is copied."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse: it is a connection."""
        raise TypeError("a response cannot be pickled, since its body is read from a connection: pickle what you read")

    def _begun(self: R, answer: tuple[str, Reader] | R) -> R:
        if not isinstance(answer, tuple):
            return answer  # Of a fake client.
        text, self._reader = answer
        head = loads(text)
        self.status, self._whole = head["status"], None
        self.headers = {}
        for name, value in head["headers"]:
            self.headers[name] = f"{self.headers[name]}, {value}" if name in self.headers else value
        return self


class ProxyResponse(_Response):
    """A provider's response, whose body is read when it is asked for. Use it in a `with`, or read it to its end."""

    __slots__ = ()

    @classmethod
    def of_call(cls, prepared: Prepared) -> ProxyResponse:
        """Send the call; only the SDK does."""
        response = cls(0)
        parts = None if prepared.parts is None else map(_part, prepared.parts)
        response._parts = parts
        return response._begun(prepared.call.run(wanted(), None, parts))

    def read(self) -> bytes:
        """Read all of the body, which is as large as the provider likes. It is kept."""
        if self._whole is None:
            self._whole = b"".join(self.iter_bytes())
        return self._whole

    def json(self) -> Any:  # noqa: ANN401
        """Read all of the body as JSON."""
        return loads(self.read())

    def iter_bytes(self) -> Iterator[bytes]:
        """Go over the body's parts as they arrive. Nothing is read that was not asked for."""
        if self._whole is not None:
            yield self._whole
            return
        while (part := self._next()) is not None:
            yield part

    def _next(self) -> bytes | None:
        if self._reader is None:
            return None
        try:
            part: bytes | None = self._reader.next().run(wanted(), None, self._parts)
        except BaseException:
            # A traceback may hold the response for long.
            self.close()
            raise
        return part

    def close(self) -> None:
        """End the provider's call where it has not come to its end."""
        if self._reader is not None:
            self._reader.close()

    def __enter__(self) -> Self:
        """Give the response itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the response."""
        self.close()

    def __del__(self) -> None:
        """Close the response that nobody holds any more."""
        self.close()


class AsyncProxyResponse(_Response):
    """A provider's response under asyncio. Use it in an `async with`, or read it to its end."""

    __slots__ = ()

    @classmethod
    def of_call(cls, prepared: Prepared) -> Coroutine[Any, Any, AsyncProxyResponse]:
        """Give what sends the call; only the SDK does."""
        return cls._sent(*prepared)

    @classmethod
    async def _sent(cls, call: Call, sender: Sender | None, parts: Any) -> AsyncProxyResponse:  # noqa: ANN401
        from ._bridge import run

        response = cls(0)
        if sender is None:
            return response._begun(await run(call))
        import asyncio

        response._feeding = feeding = asyncio.ensure_future(_feed(sender, parts))
        feeding.add_done_callback(_seen)
        calling = asyncio.ensure_future(run(call))
        try:
            await asyncio.wait({calling, feeding}, return_when=asyncio.FIRST_COMPLETED)
            if feeding.done() and not calling.done():
                feeding.result()
            return response._begun(await calling)
        except BaseException:
            calling.cancel()
            feeding.cancel()
            raise

    async def read(self) -> bytes:
        """Read all of the body, which is as large as the provider likes. It is kept."""
        if self._whole is None:
            self._whole = b"".join([part async for part in self.aiter_bytes()])
        return self._whole

    async def json(self) -> Any:  # noqa: ANN401
        """Read all of the body as JSON."""
        return loads(await self.read())

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        """Go over the body's parts as they arrive. Nothing is read that was not asked for."""
        if self._whole is not None:
            yield self._whole
            return
        while (part := await self._next()) is not None:
            yield part

    async def _next(self) -> bytes | None:
        from ._bridge import run

        if self._reader is None:
            return None
        try:
            part: bytes | None = await run(self._reader.next())
        except BaseException:
            # A traceback may hold the response for long.
            self._close()
            raise
        return part

    async def aclose(self) -> None:
        """End the provider's call where it has not come to its end."""
        self._close()

    async def __aenter__(self) -> Self:
        """Give the response itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the response."""
        self._close()

    def _close(self) -> None:
        if self._feeding is not None:
            self._feeding.cancel()
        if self._reader is not None:
            self._reader.close()
