"""
What `pabbly_connect` is made of. Not for use on its own.
"""

from collections.abc import Iterator
from typing import Any, Final, SupportsFloat, SupportsIndex, final

__all__ = ["VERSION", "Call", "Client", "Feed", "Pages", "Queue", "Reader", "SecretFields", "Sender", "Token", "after_fork_in_child", "before_exit", "generation", "library_request", "verify_webhook"]

VERSION: Final[str]

@final
class Call:
    """
    A call that is ready to be sent, once: by `run` or by `start`.
    """
    def cancel(self, /) -> None:
        """
        Stops a call that was started, wherever it is; nothing comes out of it any more.
        """
    def run(self, /, log: bool, on_poll: Any | None = None, parts: "Iterator[bytes] | None" = None) -> Any:
        """
        Makes the call on this thread and gives its answer. Signals are heeded meanwhile. `log` says whether anybody
        reads the log; `on_poll` is called with each poll of a wait: its status and phase, and the seconds until the
        next; `parts` gives those of a request's body as bytes.
        """
    def start(self, /, queue: Queue, number: SupportsIndex, log: bool) -> None:
        """
        Makes the call on the background thread, which puts the answer into the queue under this number.
        """

@final
class Client:
    """
    Makes calls ready. Which of them are blocking is up to the caller.
    """
    def __new__(cls, /, *, blocking: bool, settings: "dict[str, Any]") -> Client: ...
    def __repr__(self, /) -> str: ...
    def check_email(self, /, email: Any) -> None:
        """
        Raises where the address could not be a customer's.
        """
    def close(self, /) -> None:
        """
        Closes idle connections; calls that are under way finish.
        """
    def feed(self, /, method: str, options: "dict[str, Any]") -> Feed:
        """
        The feed of events with these options.
        """
    def prepare(self, /, method: str, email: Any | None, arguments: "tuple[str, ...]", options: "dict[str, Any]", tell_polls: bool = False) -> Call:
        """
        The call of this name. An option that is None removes what can be removed, and is else left out; `tell_polls` says whether anybody wants
        to know of the polls of a wait.
        """
    def proxy(self, /, email: Any, id: str, body: "bytes | None", in_parts: bool, options: "dict[str, Any]") -> "tuple[Call, Sender | None]":
        """
        A proxied call, whose body is whole, or comes `in_parts`: then it is with what takes them.
        """
    def set_api_key(self, /, api_key: str) -> None:
        """
        Replaces the tenant key: what has begun finishes with the old one.
        """

@final
class Feed:
    """
    The feed of events. What was handed out is not kept: a feed goes on for as long as its program.
    """
    def next(self, /) -> Call:
        """
        The call for what follows. It gives a dictionary, or None at the end. After an error the same is asked for again.
        """

@final
class Pages:
    """
    The pages that follow one that was handed out.
    """
    def get(self, /, number: SupportsIndex) -> Call:
        """
        The call for the page of this number, the first that follows being 0. It gives a dictionary, or None where
        there is no such page. A page is fetched once.
        """

@final
class Queue:
    """
    The queue of one event loop.
    """
    def __new__(cls, /) -> Queue: ...
    def fileno(self, /) -> int:
        """
        Becomes readable when calls have finished.
        """
    def take(self, /) -> list[tuple[int, str, Any]]:
        """
        What happened since it was last asked: the number of a call, `answer`, `error` or `poll`, and the answer, the
        exception or the poll. To be called when there is something to read; it waits where there is not.
        """
    def wake(self, /) -> None:
        """
        Makes `take` return.
        """

@final
class Reader:
    """
    The body of a provider's response.
    """
    def close(self, /) -> None:
        """
        Ends the provider's call where it has not come to its end.
        """
    def next(self, /) -> Call:
        """
        The call for the next part. It gives bytes, or None at the end.
        """

@final
class SecretFields:
    """
    Secret values by name: a mapping whose printed forms show the names alone.
    """
    def __contains__(self, name: Any, /) -> bool: ...
    def __copy__(self, /) -> SecretFields: ...
    def __deepcopy__(self, /, _memo: Any) -> SecretFields: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __getitem__(self, name: str, /) -> str: ...
    def __iter__(self, /) -> Iterator[str]: ...
    def __len__(self, /) -> int: ...
    def __reduce_ex__(self, _protocol: SupportsIndex, /) -> str:
        """
        Refuses: a credential must not be stored.
        """
    def __repr__(self, /) -> str: ...
    def get(self, /, name: "str", default: "Any" = None) -> "Any":
        """
        The value of one field, or the default where there is none of that name.
        """
    def items(self, /) -> list[tuple[str, str]]:
        """
        Names with their secret values.
        """
    def keys(self, /) -> list[str]:
        """
        The names.
        """
    def to_dict(self, /) -> "dict[str, str]":
        """
        A dictionary of them, which shows its secrets when it is printed.
        """
    def values(self, /) -> list[str]:
        """
        The secret values.
        """

@final
class Sender:
    """
    Where the parts of a request's body go, under asyncio.
    """
    def fail(self, /) -> None:
        """
        The body cannot be completed.
        """
    def finish(self, /) -> None:
        """
        The body is whole.
        """
    def send(self, /, part: bytes) -> Call:
        """
        The call that passes a part on once it is wanted, and gives whether it was.
        """

@final
class Token:
    """
    A working credential for one connection. Use it at once; never store or log it.

    What a customer consented to, or what was exchanged for a token, gives `access_token`; what the customer entered gives
    `fields`; `apply` makes the difference disappear. Printing, formatting or logging it never shows
    a secret, and it cannot be pickled: only reading an attribute, or `to_dict()`, gives the value.
    """
    __match_args__: Final[tuple[str, str, str]]
    def __copy__(self, /) -> Token: ...
    def __deepcopy__(self, /, _memo: Any) -> Token: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce_ex__(self, _protocol: SupportsIndex, /) -> str:
        """
        Refuses: a credential must not be stored.
        """
    def __repr__(self, /) -> str: ...
    @property
    def access_token(self, /) -> str | None:
        """
        The access token of an OAuth app.
        """
    @property
    def account(self, /) -> Any | None:
        """
        Whose account it is at the provider, an `Account`; None where that is not known.
        """
    @property
    def api_base_url(self, /) -> str | None:
        """
        Where the provider's API is; None where the catalogue does not tell.
        """
    @property
    def api_headers(self, /) -> SecretFields | None:
        """
        The headers of a call to the provider's API; None from a service that does not know of them.
        """
    @property
    def api_query(self, /) -> SecretFields | None:
        """
        The query parameters of a call to the provider's API; None from a service that does not know of them.
        """
    def apply(self, /, path: "str", headers: "dict[str, str] | None" = None) -> "dict[str, Any]":
        """
        Where and how to call the provider's API, the credential included wherever this app wants it:
        `requests.get(**token.apply("/contacts"))`, and the same with httpx and aiohttp. Nothing is sent.

        `path` follows `api_base_url` and may have a query. An absolute URL has to lie below the base URL; where there is
        none, it has to be one, over HTTPS or to this machine. `headers` take the place of those of the same name.

        Pass `allow_redirects=False` to requests and aiohttp as well (httpx follows no redirect by default): they remove at
        most `Authorization` where one leads to another host, and many apps want their key in another header.

        Raises `InvalidArgumentError` where the path leads out of the base URL or is no URL, and where nothing tells how
        this app is called.
        """
    @property
    def auth_type(self, /) -> str:
        """
        Which of the two shapes this is: `o_auth`, or `api_key`, `basic` or `header`.
        """
    @property
    def authorization(self, /) -> str | None:
        """
        The value of an `Authorization` header, such as `Bearer ya29…`; None where the app is not OAuth.
        """
    @property
    def expires_in(self, /) -> int | None:
        """
        Seconds until the access token expires; None where the provider does not say.
        """
    @property
    def fields(self, /) -> SecretFields | None:
        """
        The credential values of an API-key, basic or header app, by the name of the field.
        """
    @staticmethod
    def of(*, auth_type: str = "o_auth", access_token: str | None = None, token_type: str | None = None, expires_in: SupportsIndex | None = None, fields: dict[str, str] | None = None, scopes: "list[str] | None" = None, account: dict[str, str | None] | None = None, provider_data: dict[str, str] | None = None, api_base_url: str | None = None, api_headers: dict[str, str] | None = None, api_query: dict[str, str] | None = None) -> Token:
        """
        Makes a credential for a test, of the members that the service would send.
        """
    @property
    def provider_data(self, /) -> SecretFields:
        """
        What calls to the provider need beside the credential, such as a company's id.
        """
    @property
    def scopes(self, /) -> list[str] | None:
        """
        The OAuth scopes that were granted; None where they are not known.
        """
    def to_dict(self, /) -> "dict[str, Any]":
        """
        Everything as it came, secrets included.
        """
    @property
    def token_type(self, /) -> str | None:
        """
        How the access token is presented, such as `Bearer`.
        """

def after_fork_in_child() -> None:
    """
    Registered with `os.register_at_fork`.
    """

def before_exit() -> None:
    """
    Registered with `atexit`: from now on other threads stay where they are.
    """

def generation() -> int:
    """
    How many forks lie between this process and the one that loaded the module.
    """

def library_request(base_url: str, url: str, headers: "list[tuple[str, str]]") -> "tuple[str, list[tuple[str, str]]]":
    """
    The path of a proxied call, and its headers, of the request that a library makes.
    """

def verify_webhook(headers: "list[tuple[str, str]]", body: bytes, secrets: "list[str]", received_at: SupportsFloat | SupportsIndex | None = None) -> None:
    """
    Raises where a request is no webhook. `received_at` is in seconds since 1970.
    """
