"""Pages of lists, and how those that follow are asked for."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Callable, Generic, TypeVar

from ._logging import wanted
from ._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator

    from ._native import Call, Pages

ItemT = TypeVar("ItemT")
AnyPageT = TypeVar("AnyPageT", bound="_Page[Any]")
PageT = TypeVar("PageT", bound="Page[Any]")
AsyncPageT = TypeVar("AsyncPageT", bound="AsyncPage[Any]")


class _Page(Record, Generic[ItemT]):
    # Not members of the dataclass: a page that was copied or made by hand has none that follow.
    _rest: Pages | None = None
    """The pages that follow the one that the call gave."""
    _number = 0
    """How many pages lie between that one and this one."""

    @classmethod
    def first(cls: type[AnyPageT], found: tuple[dict[str, Any], Pages]) -> AnyPageT:
        """Make the page that a call gave, with those that follow it."""
        return cls._at(0, *found)

    @classmethod
    def _at(cls: type[AnyPageT], number: int, data: dict[str, Any], rest: Pages | None) -> AnyPageT:
        page = cls.from_dict(data)
        vars(page).update(_rest=rest, _number=number)
        return page

    @property
    def _items(self) -> tuple[ItemT, ...]:
        raise NotImplementedError

    def _next(self) -> Call:
        """Give the call for the page that follows."""
        if self._rest is None:
            from .errors import InvalidArgumentError

            raise InvalidArgumentError("a copied page knows nothing of those that follow it", code="invalid_argument")
        return self._rest.get(self._number)

    def _following(self: AnyPageT, data: dict[str, Any] | None) -> AnyPageT | None:
        return None if data is None else self._at(self._number + 1, data, self._rest)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what came, without what follows."""
        return type(self).from_dict, (self.to_dict(),)


class Page(_Page[ItemT]):
    """One page of a list, when calls block."""

    def next_page(self: PageT) -> PageT | None:
        """Ask for the page that follows; None where nothing does."""
        return self._following(self._next().run(wanted()))

    def __iter__(self) -> Iterator[ItemT]:
        """Go through this page and all that follow, each asked for when it is needed."""
        page: Page[ItemT] | None = self
        while page is not None:
            yield from page._items
            page = page.next_page()


class AsyncPage(_Page[ItemT]):
    """One page of a list under asyncio."""

    async def next_page(self: AsyncPageT) -> AsyncPageT | None:
        """Ask for the page that follows; None where nothing does."""
        from ._bridge import run

        return self._following(await run(self._next()))

    async def __aiter__(self) -> AsyncIterator[ItemT]:
        """Go through this page and all that follow, each asked for when it is needed."""
        page: AsyncPage[ItemT] | None = self
        while page is not None:
            for item in page._items:
                yield item
            page = await page.next_page()


class AsyncList(Coroutine[Any, Any, AsyncPageT], Generic[AsyncPageT, ItemT]):
    """A call for a list, which begins once something treats it as a coroutine."""

    __slots__ = ("_coroutine", "_make")

    def __init__(self, make: Callable[[], Coroutine[Any, Any, AsyncPageT]]) -> None:
        """Take what makes the coroutine."""
        self._make = make
        self._coroutine: Coroutine[Any, Any, AsyncPageT] | None = None

    def _begun(self) -> Coroutine[Any, Any, AsyncPageT]:
        if self._coroutine is None:
            self._coroutine = self._make()
        return self._coroutine

    def __await__(self) -> Generator[Any, Any, AsyncPageT]:
        """Give one page."""
        return self._begun().__await__()

    async def __aiter__(self) -> AsyncIterator[ItemT]:
        """Go through all pages, each asked for when it is needed."""
        async for item in await self:
            yield item

    def send(self, value: Any) -> Any:  # noqa: ANN401
        """Resume, as a coroutine does."""
        return self._begun().send(value)

    def throw(self, *error: Any) -> Any:  # noqa: ANN401
        """Raise inside, as a coroutine does."""
        return self._begun().throw(*error)

    def close(self) -> None:
        """Give up, as a coroutine does."""
        if self._coroutine is not None:
            self._coroutine.close()
