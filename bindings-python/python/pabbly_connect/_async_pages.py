"""Pages of lists under asyncio."""

from __future__ import annotations

from ._models import App, Connection
from ._pages import Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Generator
    from typing import Any

    # Anything that has the methods of a coroutine is one at runtime.
    _AppCall = Coroutine[Any, Any, "AsyncAppPage"]
    _ConnectionCall = Coroutine[Any, Any, "AsyncConnectionPage"]
else:
    _AppCall = _ConnectionCall = object


class AsyncAppPage(Page):
    """One page of the catalogue. `async for` over it goes through this page and all that follow."""

    __slots__ = ()

    @property
    def apps(self) -> tuple[App, ...]:
        """The apps of this page."""
        return tuple(map(App, self._data["apps"]))

    async def next_page(self) -> AsyncAppPage | None:
        """Ask for the page that follows; None where nothing does."""
        from ._bridge import run

        data = await run(self._next())
        return None if data is None else AsyncAppPage(data, self._rest, self._number + 1)

    async def __aiter__(self) -> AsyncIterator[App]:
        """Go through this page and all that follow, each asked for when it is needed."""
        page: AsyncAppPage | None = self
        while page is not None:
            for app in page.apps:
                yield app
            page = await page.next_page()


class AsyncConnectionPage(Page):
    """One page of a customer's connections. `async for` over it goes through this page and all that follow."""

    __slots__ = ()

    @property
    def connections(self) -> tuple[Connection, ...]:
        """The connections of this page."""
        return tuple(map(Connection, self._data["connections"]))

    async def next_page(self) -> AsyncConnectionPage | None:
        """Ask for the page that follows; None where nothing does."""
        from ._bridge import run

        data = await run(self._next())
        return None if data is None else AsyncConnectionPage(data, self._rest, self._number + 1)

    async def __aiter__(self) -> AsyncIterator[Connection]:
        """Go through this page and all that follow, each asked for when it is needed."""
        page: AsyncConnectionPage | None = self
        while page is not None:
            for connection in page.connections:
                yield connection
            page = await page.next_page()


class _AsyncList:
    """A call that is a coroutine once something treats it as one."""

    __slots__ = ("_coroutine", "_make")

    def __init__(self, make: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Take what makes the coroutine."""
        self._make = make
        self._coroutine: Coroutine[Any, Any, Any] | None = None

    def _begun(self) -> Coroutine[Any, Any, Any]:
        if self._coroutine is None:
            self._coroutine = self._make()
        return self._coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        """Give one page."""
        return self._begun().__await__()

    def send(self, value: Any) -> Any:  # noqa: ANN401
        """Go on, as a coroutine does."""
        return self._begun().send(value)

    def throw(self, *error: Any) -> Any:  # noqa: ANN401
        """Raise inside, as a coroutine does."""
        return self._begun().throw(*error)

    def close(self) -> None:
        """Give up, as a coroutine does."""
        if self._coroutine is not None:
            self._coroutine.close()


class AsyncAppList(_AsyncList, _AppCall):
    """A call for apps: `await` gives one page, `async for` goes through all."""

    __slots__ = ()

    async def __aiter__(self) -> AsyncIterator[App]:
        """Go through all pages, each asked for when it is needed."""
        async for app in await self:
            yield app


class AsyncConnectionList(_AsyncList, _ConnectionCall):
    """A call for connections: `await` gives one page, `async for` goes through all."""

    __slots__ = ()

    async def __aiter__(self) -> AsyncIterator[Connection]:
        """Go through all pages, each asked for when it is needed."""
        async for connection in await self:
            yield connection
