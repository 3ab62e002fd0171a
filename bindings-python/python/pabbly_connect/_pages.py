"""Pages of lists, and how they are gone on from."""

from __future__ import annotations

from ._logging import wanted
from ._models import App, Connection
from ._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ._native import Call, Pages


class Page(Record):
    """One page of a list."""

    __slots__ = ("_number", "_rest")
    __match_args__ = ("page", "total")

    _number: int
    """How many pages lie between the one that the call gave and this one."""
    _rest: Pages | None
    """The pages that follow the one that the call gave."""

    def __init__(self, data: dict[str, Any], rest: Pages | None = None, number: int = 0) -> None:
        """Wrap what came."""
        super().__init__(data)
        object.__setattr__(self, "_rest", rest)
        object.__setattr__(self, "_number", number)

    @property
    def page(self) -> int | None:
        """Which page this is, from 1."""
        return self._data.get("page")

    @property
    def limit(self) -> int | None:
        """How many items a full page holds."""
        return self._data.get("limit")

    @property
    def total(self) -> int | None:
        """How many items there are on all pages."""
        return self._data.get("total")

    def _next(self) -> Call:
        """Give the call for the page that follows."""
        if self._rest is None:
            from .errors import InvalidArgumentError

            raise InvalidArgumentError("a copied page knows nothing of those that follow it", code="invalid_argument")
        return self._rest.get(self._number)


class AppPage(Page):
    """One page of the catalogue. Iterating over it goes through this page and all that follow."""

    __slots__ = ()

    @property
    def apps(self) -> tuple[App, ...]:
        """The apps of this page."""
        return tuple(map(App, self._data["apps"]))

    def next_page(self) -> AppPage | None:
        """Ask for the page that follows; None where nothing does."""
        data = self._next().run(wanted())
        return None if data is None else AppPage(data, self._rest, self._number + 1)

    def __iter__(self) -> Iterator[App]:
        """Go through this page and all that follow, each asked for when it is needed."""
        page: AppPage | None = self
        while page is not None:
            yield from page.apps
            page = page.next_page()


class ConnectionPage(Page):
    """One page of a customer's connections. Iterating over it goes through this page and all that follow."""

    __slots__ = ()

    @property
    def connections(self) -> tuple[Connection, ...]:
        """The connections of this page."""
        return tuple(map(Connection, self._data["connections"]))

    def next_page(self) -> ConnectionPage | None:
        """Ask for the page that follows; None where nothing does."""
        data = self._next().run(wanted())
        return None if data is None else ConnectionPage(data, self._rest, self._number + 1)

    def __iter__(self) -> Iterator[Connection]:
        """Go through this page and all that follow, each asked for when it is needed."""
        page: ConnectionPage | None = self
        while page is not None:
            yield from page.connections
            page = page.next_page()
