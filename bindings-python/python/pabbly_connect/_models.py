"""What the service answers. Members are named as on the wire; times are RFC 3339 texts."""

from __future__ import annotations

from ._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class AuthOption(Record):
    """One way to authorise an app."""

    __slots__ = ()
    __match_args__ = ("key", "type")

    @property
    def key(self) -> str:
        """Unique within the app; a request link takes it as `auth_option_key`."""
        return self._data["key"]  # type: ignore[no-any-return]

    @property
    def type(self) -> str:
        """How the customer authorises: `o_auth`, `api_key`, `basic` or `header`."""
        return self._data["type"]  # type: ignore[no-any-return]

    @property
    def title(self) -> str:
        """The name to show."""
        return self._data["title"]  # type: ignore[no-any-return]

    @property
    def description(self) -> str | None:
        """What the customer needs for it."""
        return self._data.get("description")

    @property
    def input_schema(self) -> Any:  # noqa: ANN401
        """A JSON Schema of what the customer is asked for; empty where nothing is asked."""
        return self._data.get("input_schema")


class App(Record):
    """An app of the catalogue, such as Gmail."""

    __slots__ = ()
    __match_args__ = ("id", "name")

    @property
    def id(self) -> str:
        """Opaque; store it exactly as it came."""
        return self._data["id"]  # type: ignore[no-any-return]

    @property
    def name(self) -> str:
        """The name to show."""
        return self._data["name"]  # type: ignore[no-any-return]

    @property
    def auth_type(self) -> str | None:
        """How the app's customers authorise: `o_auth`, `api_key`, `basic` or `header`."""
        return self._data.get("auth_type")

    @property
    def description(self) -> str | None:
        """One sentence for a catalogue page."""
        return self._data.get("description")

    @property
    def categories(self) -> tuple[str, ...] | None:
        """What the app is for, such as `email`."""
        return None if (items := self._data.get("categories")) is None else tuple(items)

    @property
    def auth_options(self) -> tuple[AuthOption, ...] | None:
        """The ways to authorise, for those who build their own connection page."""
        items = self._data.get("auth_options")
        return None if items is None else tuple(map(AuthOption, items))


class AppRef(Record):
    """The app that a connection or a link belongs to."""

    __slots__ = ()
    __match_args__ = ("id", "name")

    @property
    def id(self) -> str:
        """The app's id in the catalogue."""
        return self._data["id"]  # type: ignore[no-any-return]

    @property
    def name(self) -> str | None:
        """The name to show."""
        return self._data.get("name")


class Connection(Record):
    """One authorisation of one app, owned by one customer."""

    __slots__ = ()
    __match_args__ = ("id", "status")

    @property
    def id(self) -> str:
        """Opaque; store it exactly as it came."""
        return self._data["id"]  # type: ignore[no-any-return]

    @property
    def status(self) -> str:
        """Where the connection is in its life: `pending`, then `active`, `rejected` or `expired`."""
        return self._data["status"]  # type: ignore[no-any-return]

    @property
    def name(self) -> str | None:
        """The name that the link was made with."""
        return self._data.get("name")

    @property
    def app(self) -> AppRef | None:
        """The app; None while the customer has not chosen one yet."""
        return _app(self._data)

    @property
    def auth_type(self) -> str | None:
        """How the customer authorised: `o_auth`, `api_key`, `basic` or `header`."""
        return self._data.get("auth_type")

    @property
    def user_email(self) -> str | None:
        """The customer's e-mail."""
        return self._data.get("user_email")

    @property
    def created_at(self) -> str | None:
        """When the connection was made."""
        return self._data.get("created_at")

    @property
    def updated_at(self) -> str | None:
        """When the connection last changed."""
        return self._data.get("updated_at")

    @property
    def expires_at(self) -> str | None:
        """When the open link lapses; only while one is open."""
        return self._data.get("expires_at")


class Poll(Record):
    """What a wait has just learned."""

    __slots__ = ()
    __match_args__ = ("status", "next_in")

    @property
    def status(self) -> str | None:
        """The connection's status; None where the poll failed in a way that the wait survives."""
        return self._data.get("status")

    @property
    def next_in(self) -> float:
        """Seconds until the next poll is expected; 0 where the service holds the answer until there is news."""
        return self._data["next_in"]  # type: ignore[no-any-return]


class RequestLink(Record):
    """A hosted page where one customer connects one app.

    Hand `request_link`, `request_token` and `connection_id` to the front end. `to_dict()` gives the link whole; its
    printed forms hide the request token and the hosted page's address.
    """

    __slots__ = ()
    __match_args__ = ("request_link", "connection_id")
    _hidden = frozenset({"request_token", "request_link"})

    @property
    def connection_id(self) -> str:
        """The connection that the link is for; it is `pending` until the customer is done."""
        return self._data["connection_id"]  # type: ignore[no-any-return]

    @property
    def request_token(self) -> str:
        """Lets a front end watch the link, and send in a form of its own: for the customer's own browser alone."""
        return self._data["request_token"]  # type: ignore[no-any-return]

    @property
    def request_link(self) -> str:
        """The address of the hosted page."""
        return self._data["request_link"]  # type: ignore[no-any-return]

    @property
    def expires_at(self) -> str:
        """When the link lapses."""
        return self._data["expires_at"]  # type: ignore[no-any-return]

    @property
    def app(self) -> AppRef | None:
        """The app; None where the customer picks one on the hosted page."""
        return _app(self._data)

    @property
    def status_url(self) -> str | None:
        """The address of the public status, gated by the request token."""
        return self._data.get("status_url")

    @property
    def operation(self) -> str | None:
        """Whether the link makes a connection (`creation`) or re-authorises one in place (`reauth`)."""
        return self._data.get("operation")


class ErrorResponse(Record):
    """The answer that an error was made from, without credentials."""

    __slots__ = ()
    __match_args__ = ("status", "body")

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._data["status"]  # type: ignore[no-any-return]

    @property
    def headers(self) -> dict[str, str]:
        """The headers, names in lower case, without those that hold credentials or cookies."""
        return dict(self._data["headers"])

    @property
    def body(self) -> Any:  # noqa: ANN401
        """The body: parsed where it was JSON, else its text; None where it was empty or did not arrive."""
        return self._data.get("body")


def _app(data: dict[str, Any]) -> AppRef | None:
    app = data.get("app")
    return None if app is None else AppRef(app)


def listener(on_poll: Callable[[Poll], object] | None) -> Callable[[str | None, float], object] | None:
    """Make polls of what the native module tells of them."""
    if on_poll is None:
        return None
    return lambda status, next_in: on_poll(Poll({"status": status, "next_in": next_in}))
