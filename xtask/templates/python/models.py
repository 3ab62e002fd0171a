{% set words = words | map(attribute="name") | list %}
{% macro annotation(kind) -%}
{%- if kind is endingwith("?") %}Optional[{{ annotation(kind | trim("?")) }}]
{%- elif kind is startingwith("[") %}tuple[{{ annotation(kind | trim("[]")) }}, ...]
{%- elif kind is startingwith("{") %}dict[str, {{ annotation(kind | trim("{}")) }}]
{%- elif kind in ("text", "time", "secret") or kind in words %}str
{%- elif kind == "flag" %}bool
{%- elif kind == "count" %}int
{%- elif kind == "object" %}dict[str, Any]
{%- elif kind == "json" %}Any
{%- else %}{{ kind }}{% endif %}
{%- endmacro %}
{% macro documentation(model) -%}
{%- if model.more %}
    """{{ model.doc | say }}

{{ model.more | paragraph(4) }}
    """
{%- else %}
    """{{ model.doc | say }}"""
{%- endif %}
{%- endmacro %}
{% macro extra() %}
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    """Members that this version does not know."""
{% endmacro %}
"""What the service answers. Members are named as on the wire; times are RFC 3339 texts.

{{ generated }}
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Optional, Union

from ._events import AsyncEventFeed as AsyncEventFeed
from ._events import EventFeed as EventFeed
from ._pages import AsyncList, AsyncPage, Page
from ._record import Credential, Record, records


{% for model in models %}
{% set secrets = model.fields | selectattr("hidden") | list %}
@dataclass(frozen=True, repr=False)
class {{ model.name }}({{ "Credential" if model.credential else "Record" }}):
{{ documentation(model) }}

{# A dataclass has those without a default first. #}
{% for field in model.fields | rejectattr("type", "endingwith", "?") | list + model.fields | selectattr("type", "endingwith", "?") | list %}
    {{ field.name }}: {{ annotation(field.type) }}{% if field.type in ("json?", "object?", "{text}?") %} = field(default=None, hash=False){% elif field.type is endingwith("?") %} = None{% endif %}

{{ ('"""' ~ field.doc ~ '"""') | paragraph(4) }}
{% endfor %}
{{ extra() }}
{%- for secret in secrets %}
{% if loop.first %}

    def __post_init__(self) -> None:
        """Have the secrets print as `[redacted]`."""
        self._hide({% endif %}"{{ secret.name }}"{{ ")\n" if loop.last else ", " }}
{%- endfor %}


{% set nested = model.fields | selectattr("model") | list %}
{% set texts = model.fields | selectattr("type", "in", ["[text]", "[text]?"]) | list %}
{% if nested or texts %}
{{ model.name }}._made_of = {
{% for field in texts %}
    "{{ field.name }}": tuple,
{% endfor %}
{% for field in nested %}
    "{{ field.name }}": {% if field.type is startingwith("[") %}records({{ field.model }}){% else %}{{ field.model }}.from_dict{% endif %},
{% endfor %}
}


{% endif %}
{% endfor %}
{% for asyncio in [false, true] %}
{% for model in lists %}
{% set page = ("Async" if asyncio else "") ~ model.name ~ "Page" %}
@dataclass(frozen=True, repr=False)
class {{ page }}({{ "Async" if asyncio }}Page[{{ model.name }}]):
    """{{ model.page }} {{ "`async for` over" if asyncio else "Iterating over" }} it goes through this page and all that follow."""

    {{ model.list }}: tuple[{{ model.name }}, ...]
    """The {{ model.list }} of this page."""
{% if model.cursor %}
    next_cursor: Optional[str] = None
    """Where the next page begins; None on the last page."""
    errors: tuple[FailedConnection, ...] = ()
    """The connections whose {{ model.list }} are missing, or the rest of them."""
{% else %}
    page: Optional[int] = None
    """Which page this is, from 1."""
    limit: Optional[int] = None
    """How many items a full page holds."""
    total: Optional[int] = None
    """How many items there are on all pages."""
{% endif %}
{{ extra() }}
    @property
    def _items(self) -> tuple[{{ model.name }}, ...]:
        return self.{{ model.list }}


{{ page }}._made_of = {"{{ model.list }}": records({{ model.name }}){% if model.cursor %}, "errors": records(FailedConnection){% endif %}}


{% if asyncio %}
class Async{{ model.name }}List(AsyncList[{{ page }}, {{ model.name }}]):
    """A call for {{ model.list }}: `await` gives one page, `async for` goes through all."""

    __slots__ = ()


{% endif %}
{% endfor %}
{% endfor %}
EventData = Union[
{% for model in events | map(attribute="data") | unique %}
    {{ model }},
{% endfor %}
    dict[str, Any],
]

_DATA: dict[str, type[Record]] = {
{% for event in events %}
    "{{ event.type }}": {{ event.data }},
{% endfor %}
}


@dataclass(frozen=True, repr=False)
class Event(Record):
    """Something that happened to one of the tenant's connections, OAuth clients or keys."""

    id: str
    """Opaque, and the same however often the event is given or brought: by it you know what you have handled."""
    type: str
    """What happened, such as `connection.active`."""
    timestamp: str
    """When it happened."""
    data: EventData = field(hash=False)
    """What there is to tell about it: an object of a class for each type; of an unknown type, what came."""
    cursor: str = ""
    """Its place in the feed, from which `events` goes on; empty for an event that is in no feed."""
{{ extra() }}
    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Event":
        """Make it of a JSON object, such as one that `to_dict` gave."""
        known = _DATA.get(data["type"])
        told: dict[str, Any] = data["data"] or {}
        return super().from_dict({**data, "data": known.from_dict(told) if known else told})


@dataclass(frozen=True, repr=False)
class ErrorResponse(Record):
    """The response that an error was made from, without credentials."""

    status: int
    """The HTTP status."""
    headers: dict[str, str] = field(default_factory=dict, hash=False)
    """The headers, names in lower case, without those that hold credentials or cookies."""
    body: Any = field(default=None, hash=False)
    """The body: parsed where it was JSON, else its text; None where it was empty or did not arrive."""
{{ extra() }}

@dataclass(frozen=True)
class Poll:
    """What a wait has just learned."""

    status: Optional[str]
    """The connection's status; None where the poll failed in a way that the wait survives."""
    phase: Optional[str]
    """How far the customer has come; None where that is not known: it is of a link that this client made."""
    next_in: float
    """Seconds until the next poll is expected; 0 where the service keeps the request until there is news."""


def listener(on_poll: Optional[Callable[[Poll], object]]) -> Optional[Callable[..., object]]:
    """Make polls of what the native module tells of them."""
    return None if on_poll is None else lambda *told: on_poll(Poll(*told))
