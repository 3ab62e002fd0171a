"""What all results have in common. It is loaded with the first result, since dataclasses take long to import."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Callable, ClassVar, TypeVar

from ._secret import SecretText

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from typing_extensions import Self

R = TypeVar("R", bound="Record")


class Record:
    """The base of frozen dataclasses that are made of JSON objects and become such again.

    Members that this version does not know are kept in `extra`, so that nothing is lost of what a newer service sends.
    """

    _made_of: ClassVar[dict[str, Callable[[Any], Any]]] = {}
    """How members are made that are not taken as they come."""

    @classmethod
    def from_dict(cls: type[R], data: dict[str, Any]) -> R:
        """Make it of a JSON object, such as one that `to_dict` gave."""
        known: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        made_of = cls._made_of
        for name, value in data.items():
            if name == "extra" or name not in cls.__dataclass_fields__:  # type: ignore[attr-defined]
                extra[name] = value
            elif value is not None:
                known[name] = made_of[name](value) if name in made_of else value
        return cls(**known, extra=extra)  # type: ignore[call-arg]

    def to_dict(self) -> dict[str, Any]:
        """Give a copy of everything as it came, ready for `json.dumps`. What is None is left out."""
        known = {name: value for name, value in _members(self) if value is not None}
        extra = known.pop("extra")
        return {name: _plain(value) for name, value in (known | extra).items()}

    def __repr__(self) -> str:
        """Show all members that there are, secrets excepted."""
        shown = ", ".join(f"{name}={value!r}" for name, value in _members(self) if value is not None and value != {})
        return f"{type(self).__name__}({shown})"

    def _hide(self, *names: str) -> None:
        for name in names:
            object.__setattr__(self, name, SecretText(getattr(self, name)))


class Credential(Record):
    """A record that must not be stored. Only reading a member, or `to_dict()`, gives its secrets."""

    def __copy__(self) -> Self:
        """Give the record itself."""
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        """Give the record itself."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse: it would be stored."""
        raise TypeError("a credential cannot be pickled")


def _members(record: Any) -> list[tuple[str, Any]]:  # noqa: ANN401
    return [(member.name, getattr(record, member.name)) for member in fields(record)]


def records(cls: type[R]) -> Callable[[list[Any]], tuple[R, ...]]:
    """Make records of a list of objects."""
    return lambda items: tuple(map(cls.from_dict, items))


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Copy what a record holds as JSON, which is quicker than `copy.deepcopy` can be."""
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, str):
        return str(value)
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
