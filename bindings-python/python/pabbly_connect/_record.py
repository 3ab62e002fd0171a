"""What all results have in common."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, NoReturn


class Record:
    """A frozen view of a JSON object that the service sent.

    Attributes are read from the object itself, so that nothing is lost of what a newer service sends: members that
    this version does not know are in `extra`.
    """

    __slots__ = ("_data",)

    _data: dict[str, Any]
    _members: ClassVar[frozenset[str]] = frozenset()
    """Names of the members that have an attribute."""
    _hidden: ClassVar[frozenset[str]] = frozenset()
    """Names of the members that are not printed."""

    def __init_subclass__(cls) -> None:
        """Collect the members: every property is one, named as on the wire."""
        own = {name for name, value in vars(cls).items() if isinstance(value, property)}
        cls._members = cls._members | own

    def __init__(self, data: dict[str, Any]) -> None:
        """Wrap what came; nothing is copied."""
        object.__setattr__(self, "_data", data)

    @property
    def extra(self) -> dict[str, Any]:
        """Members that this version does not know."""
        return {name: value for name, value in self._data.items() if name not in self._members}

    def to_dict(self) -> dict[str, Any]:
        """Give a copy of everything as it came, ready for `json.dumps`."""
        return _copy(self._data)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        """Show all members, secrets excepted."""
        shown = (
            f"{name}={'[redacted]' if name in self._hidden else repr(value)}" for name, value in self._data.items()
        )
        return f"{type(self).__name__}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        """Compare what came."""
        return type(other) is type(self) and self._data == other._data

    def __hash__(self) -> int:
        """Hash the texts among the members, which are what tells records apart."""
        return hash((type(self), frozenset(item for item in self._data.items() if isinstance(item[1], str))))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: results do not change."""
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __delattr__(self, name: str) -> NoReturn:
        """Refuse: results do not change."""
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what came."""
        return type(self), (self._data,)


def _copy(value: Any) -> Any:  # noqa: ANN401
    """Copy JSON, which is quicker than `copy.deepcopy` can be."""
    if isinstance(value, dict):
        return {name: _copy(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value
