"""Clients that call no service.

{{ generated }}
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Callable, TypeVar, Union

from .._async import AsyncPabblyConnectPlatform
from .._client import PabblyConnectPlatform
from ._fake import NO_RESULT, fake_native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._models import (
{% for name in (results | list + ["Event"] + lists | map(attribute="page_name") | list + lists | map(attribute="async_page_name") | list) | sort %}
        {{ name }},
{% endfor %}
    )
    from .._native import Token
    from .._proxy import AsyncProxyResponse, ProxyResponse

T = TypeVar("T")
Result = Union[T, BaseException, Callable[..., T]]
"""What a method gives: a result, an error, or a function of its arguments that gives or raises them."""
AsyncResult = Union[Result[T], Callable[..., Awaitable[T]]]
"""The same of the client for asyncio, where the function may be asynchronous."""

CLEARABLE = {
{% for method in methods if method.options | selectattr("type", "eq", "clearable") | list %}
    "{{ method.name }}": [{% for option in method.options | selectattr("type", "eq", "clearable") %}"{{ option.snake }}"{{ ", " if not loop.last }}{% endfor %}],
{% endfor %}
}
"""Options that None removes, rather than leaves as they are."""
{% for prefix in ["", "Async"] %}


class Fake{{ prefix }}Client({{ prefix }}PabblyConnectPlatform):
    """{{ "A client for asyncio" if prefix else "A client" }} that calls no service: `Fake{{ prefix }}Client(get_token=Token.of(access_token="test"))`.

    Arguments are checked as the real client checks them. A method without a result raises an error that names it. A
    list has the one page that it was given, and the feed ends with its events.
    """

    calls: list[Any]
    """How it was called, also through `customer`, to compare with `unittest.mock.call`: `call.get_token(email, id)`."""

    def __init__(
        self,
        *,
{% for method in methods if not method.local %}
        {{ method.snake }}: {{ prefix }}Result[{{ (prefix ~ method.list ~ "Page") if method.list else "list[Event]" if method.feed else (prefix ~ "ProxyResponse") if method.proxy else method.result or "None" }}] = NO_RESULT,
{% endfor %}
    ) -> None:
        """Take what each method gives."""
        results = {
{% for method in methods if not method.local %}
            "{{ method.snake }}": {{ method.snake }},
{% endfor %}
        }
        self.calls = []
        self._native = fake_native(results, self.calls, CLEARABLE)
{% if prefix %}
        # This imports asyncio.
        from .._bridge import run

        self._run = run
{% endif %}
{% endfor %}
