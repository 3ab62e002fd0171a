"""What a client is to `copy` and `pickle`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from typing_extensions import Self


class Shared:
    """A client: connections and a tenant key, of which there is one, however it is passed on."""

    __slots__ = ()

    def __copy__(self) -> Self:
        """Give the client itself: any number of users share its connections."""
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        """Give the client itself, also where it is part of what is copied."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse: the tenant key must not be stored."""
        raise TypeError("a client cannot be pickled, since it holds the tenant key: make one in each process")
