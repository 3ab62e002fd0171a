"""What stands in for the native module's client, where no service shall be called."""

from __future__ import annotations

from asyncio import Task
from inspect import isawaitable
from re import sub
from typing import Any
from unittest.mock import call

from .._bridge import _bridge
from .._native import Client
from .._pages import _Page
from .._record import Record

NO_RESULT: Any = object()
"""In the place of the result of a method that has none."""


def fake_native(results: dict[str, Any], calls: list[Any], clearable: dict[str, list[str]]) -> Any:  # noqa: ANN401
    """Make what a client has in the place of the native one. It notes its calls in `calls`."""
    return _FakeNative(results, calls, clearable)


class _FakeNative:
    def __init__(self, results: dict[str, Any], calls: list[Any], clearable: dict[str, list[str]]) -> None:
        # It checks what a program passes; nothing is ever sent.
        self._real = real = Client(blocking=True, settings={"api_key": "pk_test_fake", "base_url": "http://127.0.0.1"})
        self._results, self._calls, self._clearable = results, calls, clearable
        self.check_email, self.set_api_key, self.close = real.check_email, real.set_api_key, real.close

    def prepare(
        self,
        method: str,
        email: str | None,
        arguments: tuple[str, ...],
        options: dict[str, Any],
        tell_polls: bool = False,
    ) -> _FakeCall:
        self._real.prepare(method, email, arguments, options, tell_polls)
        name = _snake(method)
        args = arguments if email is None else (email, *arguments)
        cleared = self._clearable.get(method, [])
        given = {option: value for option, value in options.items() if value is not None or option in cleared}
        return _FakeCall(self._results[name], self._calls, name, args, given)

    def proxy(
        self,
        email: str,
        id: str,
        body: bytes | None,
        in_parts: bool,
        options: dict[str, Any],
    ) -> tuple[_FakeCall, None]:
        self._real.proxy(email, id, body, in_parts, options)
        given = {option: value for option, value in options.items() if value is not None}
        for name in ("query", "headers"):
            if name in given:
                given[name] = dict(zip(given[name][::2], given[name][1::2]))
        if body is not None:
            given["body"] = body
        return _FakeCall(self._results["proxy"], self._calls, "proxy", (email, id), given), None

    def feed(self, method: str, options: dict[str, Any]) -> _FakeFeed:
        self._real.feed(method, options)
        name = _snake(method)
        given = {option: value for option, value in options.items() if value is not None}
        return _FakeFeed(_FakeCall(self._results[name], self._calls, name, (), given))


def _snake(method: str) -> str:
    return sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", method)


class _FakeCall:
    """In the place of `_native.Call`."""

    _task: Task[None] | None = None

    def __init__(
        self,
        result: Any,  # noqa: ANN401
        calls: list[Any],
        method: str,
        args: tuple[str, ...],
        options: dict[str, Any],
    ) -> None:
        self._result, self._calls, self._method, self._args, self._options = result, calls, method, args, options

    def run(self, _log: bool, _on_poll: object = None, _parts: object = None) -> Any:  # noqa: ANN401
        return _wire(self._given())

    def start(self, _queue: object, number: int, _log: bool) -> None:
        loop, bridge = _bridge()

        async def finish() -> None:
            try:
                given = self._given()
                news = (number, "answer", _wire(await given if isawaitable(given) else given))
            except Exception as error:
                news = (number, "error", error)
            bridge.tell([news])

        self._task = loop.create_task(finish())

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _given(self) -> Any:  # noqa: ANN401
        self._calls.append(getattr(call, self._method)(*self._args, **self._options))
        if self._result is NO_RESULT:
            raise RuntimeError(f"the fake client has no result for {self._method}: give it one, {self._method}=…")
        if isinstance(self._result, BaseException):
            raise self._result
        return self._result(*self._args, **self._options) if callable(self._result) else self._result


class _FakeFeed:
    """In the place of `_native.Feed`: it gives all events at once, and then ends."""

    def __init__(self, call: _FakeCall) -> None:
        self._calls = iter([call])

    def next(self) -> _FakeCall:
        return next(self._calls, _FakeCall(None, [], "next", (), {}))


class _NoPages:
    """What follows the one page of a fake list: nothing."""

    def get(self, _number: int) -> _FakeCall:
        return _FakeCall(None, [], "next_page", (), {})


def _wire(result: Any) -> Any:  # noqa: ANN401
    """Give a result as the native client does, of which the method makes it again."""
    if isinstance(result, _Page):
        return result.to_dict(), _NoPages()
    if isinstance(result, (list, tuple)):
        events: list[Any] = list(result)  # pyright: ignore[reportUnknownArgumentType]
        return {"events": [event.to_dict() for event in events], "next_cursor": events[-1].cursor if events else ""}
    return result.to_dict() if isinstance(result, Record) else result
