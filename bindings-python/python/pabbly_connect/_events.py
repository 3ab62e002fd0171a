"""The feed of events, whose class is generated."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterator

from ._logging import wanted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from ._models import Event
    from ._native import Call, Feed


class _Feed:
    def __init__(self, native: Feed, make: Callable[[dict[str, Any]], Event], after: str | None) -> None:
        """Begin after a cursor; only the SDK does."""
        self._native, self._make = native, make
        self._rest: deque[Event] = deque()
        self._end = self._cursor = after

    @property
    def cursor(self) -> str | None:
        """After which event the feed goes on, for `after`; None before the first. A filter's rest moves it, too."""
        return self._cursor

    def _given(self) -> Event | None:
        """Give an event that has come already."""
        if not self._rest:
            return None
        event = self._rest.popleft()
        self._cursor = event.cursor
        return event

    def _following(self) -> Call:
        """Give the call for what follows what has come."""
        self._cursor = self._end
        return self._native.next()

    def _add(self, page: dict[str, Any] | None) -> bool:
        if page is not None:
            self._rest.extend(map(self._make, page["events"]))
            self._end = page["next_cursor"]
        return page is not None


class EventFeed(_Feed, Iterator["Event"]):
    """Event after event, when calls block. Where one loop was left or failed, the next goes on."""

    def __next__(self) -> Event:
        """Wait for the next event."""
        while (event := self._given()) is None:
            if not self._add(self._following().run(wanted())):
                raise StopIteration
        return event


class AsyncEventFeed(_Feed, AsyncIterator["Event"]):
    """Event after event under asyncio. Where one loop was left, cancelled or failed, the next goes on."""

    async def __anext__(self) -> Event:
        """Wait for the next event."""
        from ._bridge import run

        while (event := self._given()) is None:
            if not self._add(await run(self._following())):
                raise StopAsyncIteration
        return event
