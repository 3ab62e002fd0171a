{% set prefix = "Async" if asyncio else "" %}
{% set class = prefix ~ "PabblyConnectPlatform" %}
{% set types = {"text": "str", "texts": "Iterable[str]", "flag": "bool", "count": "int", "duration": "float", "seconds": "int", "object": "dict[str, Any]", "fields": "dict[str, str]", "clearable": "str", "token": "Token", "pairs": "Pairs", "body": prefix ~ "Body"} %}
{# What a method gives before it is awaited. #}
{% macro result(method) -%}
{%- if method.list %}{{ prefix }}{{ method.list }}{{ "List" if asyncio else "Page" }}
{%- elif method.feed %}{{ prefix }}EventFeed
{%- elif asyncio %}Coroutine[Any, Any, {{ "AsyncProxyResponse" if method.proxy else method.result or "None" }}]
{%- elif method.proxy %}ProxyResponse
{%- else %}{{ method.result or "None" }}{% endif %}
{%- endmacro %}
{% macro parameters(method, narrowed) %}
        self,
{% if method.customer and not narrowed %}
        email: str,
{% endif %}
{% for argument in method.arguments %}
        {{ argument | snake }}: str,
{% endfor %}
{% set options = method.options if method.wait else method.options + callOptions %}
{% if options %}
        *,
{% for option in options %}
        {{ option.snake }}: {{ types[option.type] }}{{ "" if option.required else " | Unchanged | None = UNCHANGED" if option.type == "clearable" else " | None = None" }},
{% endfor %}
{% endif %}
{% if method.wait %}
        on_poll: Callable[[Poll], object] | None = None,
{% endif %}
{% endmacro %}
{% macro documentation(method) %}
{% set pages = " One page when awaited, all with `async for`." if asyncio else " One page; iterate over it for all that follow too." %}
{% set feed = (" `async for`" if asyncio else " `for`") ~ " gives one after the other." %}
{{ ('"""' ~ method.doc ~ (pages if method.list else feed if method.feed) ~ (" Needs the capability `" ~ method.capability ~ "`." if method.capability)) | paragraph(8) }}
{%- if method.more or method.options or method.raises %}


    {% if method.more %}
{{ method.more | paragraph(8) }}
    {% endif %}
    {% if method.more and method.options %}

    {% endif %}
    {% for option in method.options %}
{{ ("`" ~ option.name ~ "`: " ~ option.docs ~ (" None removes it." if option.type == "clearable")) | bullet(8) }}
    {% endfor %}
    {% if method.wait %}
        - `on_poll`: called after each poll that did not end the wait. Where it raises, the wait ends with that.
    {% endif %}
    {% for raised in method.raises %}
    {% if method.more or method.options or not loop.first %}

    {% endif %}
{{ ("Raises `" ~ raised.error ~ "` " ~ raised.when ~ ".") | paragraph(8) }}
    {% endfor %}
        {%+ endif %}"""
{% endmacro %}
{% macro value(option) %}{% if option.type == "texts" %}listed({{ option.snake }}){% else %}{{ option.snake }}{% endif %}{% endmacro %}
"""{{ "The client for asyncio." if asyncio else "The client whose calls block. Each runs on the thread that makes it, without the GIL." }}

{{ generated }}
"""

from __future__ import annotations

{% if not asyncio %}
from ._logging import wanted
{% endif %}
from ._native import Client
from ._settings import UNCHANGED, Unchanged, changed, listed, pem, product
from ._shared import Shared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, {{ "Coroutine, " if asyncio }}Iterable
    from types import TracebackType
    from typing import Any

    from ._models import (
{% for name in (results + ["Poll", prefix ~ "EventFeed"] + lists | map(attribute="name") | map("list_class", asyncio) | list) | sort %}
        {{ name }},
{% endfor %}
    )
    from ._native import Token
    from ._proxy import {{ "AsyncBody, AsyncProxyResponse, Pairs" if asyncio else "Body, Pairs, ProxyResponse" }}


class {{ class }}(Shared):
    """A client of the connection manager for one tenant{{ ", for asyncio" if asyncio }}. Make one and reuse it: it keeps connections open.

{% if asyncio %}
    It serves any number of event loops, one after the other or at once. Arguments are checked when a method is called,
    before anything is awaited. Cancelling a task stops its request. The key is only for a backend.
{% else %}
    Any number of threads may use it at once, and so may processes that are forked. Its key is only for a backend:
    never put it into a browser, an app or a model's context.
{% endif %}

    Every call but a wait takes three options:

{% for option in callOptions %}
{{ ("`" ~ option.name ~ "`: " ~ option.docs) | bullet(4) }}
{% endfor %}
    """

    __slots__ = ("__weakref__", "_native"{{ ', "_run"' if asyncio }})

    def __init__(
        self,
        *,
{% for option in clientOptions %}
        {{ option.snake }}: {{ "str | bytes" if option.name == "caCertificates" else types[option.type] }}{{ " = False" if option.type == "flag" else " | None = None" }},
{% endfor %}
    ) -> None:
        """Check the settings and make a client; nothing is sent.

{% for option in clientOptions %}
{{ ("`" ~ option.name ~ "`: " ~ option.docs) | bullet(8) }}
{% endfor %}

        Raises `InvalidArgumentError` where a setting is missing or malformed.
        """
        try:
            self._native = Client(
                blocking={{ not asyncio }},
                settings={
{% for option in clientOptions %}
                    "{{ option.snake }}": {% if option.name == "caCertificates" %}pem(ca_certificates){% elif option.name == "userAgent" %}product(user_agent){% else %}{{ option.snake }}{% endif %},
{% endfor %}
                },
            )
        finally:
            # What prints a traceback's variables must not find them.
            del api_key, base_url, proxy
{% if asyncio %}
        # This imports asyncio.
        from ._bridge import run

        self._run = run
{% endif %}

    def set_api_key(self, api_key: str) -> None:
        """Replace the tenant key while calls are under way.

        What has begun finishes with the old key; later calls, and the next poll of a wait, use the new one. That is how
        a key is rotated without a restart: rotate, give the new key to every client, promote.

        Raises `InvalidArgumentError` where it is no key; the client then keeps the old one.
        """
        try:
            self._native.set_api_key(api_key)
        finally:
            del api_key

    def customer(self, email: str) -> {{ prefix }}Customer:
        """Narrow the client to one customer, named by e-mail; take it from your own authenticated session."""
        return {{ prefix }}Customer(self, email)

{% for method in methods if not method.local %}
    def {{ method.snake }}(
{{ parameters(method, false) }}    ) -> {{ result(method) }}:
{{ documentation(method) }}
{%- if method.feed %}
        from ._models import {{ "AsyncEventFeed, Event" if asyncio else "Event, EventFeed" }}

        feed = self._native.feed(
            "{{ method.name }}",
            {
{% for option in method.options + callOptions %}
                "{{ option.snake }}": {{ value(option) }},
{% endfor %}
            },
        )
        return {{ prefix }}EventFeed(feed, Event.from_dict, after)

{% elif method.proxy %}
        from ._proxy import {{ prefix }}ProxyResponse, prepared

        try:
            call = prepared(
                self._native,
                email,
                id,
                {
{% for option in method.options + callOptions if option.type != "body" %}
                    "{{ option.snake }}": {{ option.snake }},
{% endfor %}
                },
                body,
            )
        finally:
            # What prints a traceback's variables must not find them.
            del {{ method.secrets | join(", ") }}
        return {{ prefix }}ProxyResponse.of_call(call)

{% else %}
{%- set model = prefix ~ method.list ~ ("List" if asyncio else "Page") if method.list else method.result %}
{% if model and model != "Token" %}
        from ._models import {{ model }}{% if method.list and asyncio %}, {{ prefix }}{{ method.list }}Page{% endif %}{% if method.wait %}, listener{% endif %}


{% endif %}
{% set indent = "    " if method.secrets else "" %}
{% set clearable = method.options | selectattr("type", "eq", "clearable") | list %}
{% if method.secrets %}
        try:
{% endif %}
        {{ indent }}call = self._native.prepare(
            {{ indent }}"{{ method.name }}",
            {{ indent }}{{ "email" if method.customer else "None" }},
            {{ indent }}({{ method.arguments | map("snake") | join(", ") }}{{ "," if method.arguments | length == 1 }}),
{% if clearable %}
            changed(
{% set indent = indent ~ "    " %}
{% endif %}
            {{ indent }}{
{% for option in (method.options if method.wait else method.options + callOptions) %}
                {{ indent }}"{{ option.snake }}": {{ value(option) }},
{% endfor %}
            {{ indent }}}{{ "," if not clearable }}
{% if clearable %}
            ),
{% set indent = "" %}
{% endif %}
{% if method.wait %}
            {{ indent }}on_poll is not None,
{% endif %}
        {{ indent }})
{% if method.secrets %}
        finally:
            # What prints a traceback's variables must not find them.
            del {{ method.secrets | join(", ") }}
{% endif %}
{% if method.list and asyncio %}
        return {{ model }}(lambda: self._run(call, {{ prefix }}{{ method.list }}Page.first))
{% elif asyncio %}
        return self._run(call{% if model and model != "Token" %}, {{ model }}.from_dict{% endif %}{% if method.wait %}, listener(on_poll){% endif %})
{% elif method.list %}
        return {{ model }}.first(call.run(wanted()))
{% elif model == "Token" %}
        token: Token = call.run(wanted())
        return token
{% elif model %}
        return {{ model }}.from_dict(call.run(wanted(){% if method.wait %}, listener(on_poll){% endif %}))
{% else %}
        call.run(wanted())
{% endif %}

{% endif %}
{% endfor %}
    {{ "async " if asyncio }}def close(self) -> None:
        """Close idle connections. Later calls are refused."""
        self._native.close()

    {{ "async " if asyncio }}def __{{ "a" if asyncio }}enter__(self) -> {{ class }}:
        """Give the client itself."""
        return self

    {{ "async " if asyncio }}def __{{ "a" if asyncio }}exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the client."""
        self._native.close()


class {{ prefix }}Customer(Shared):
    """A client that acts for one customer: its methods take no e-mail. Made by `customer`."""

    __slots__ = ("_client", "_email")

    def __init__(self, client: {{ class }}, email: str) -> None:
        """Check the address; raises `InvalidUserEmailError` where it is missing or malformed."""
        client._native.check_email(email)
        self._client = client
        self._email = email

    @property
    def email(self) -> str:
        """The customer's e-mail."""
        return self._email

{% for method in methods if method.customer %}
    def {{ method.snake }}(
{{ parameters(method, true) }}    ) -> {{ result(method) }}:
        """See `{{ class }}.{{ method.snake }}`."""
        return self._client.{{ method.snake }}(
            self._email,
{% for argument in method.arguments %}
            {{ argument | snake }},
{% endfor %}
{% for option in (method.options if method.wait else method.options + callOptions) %}
            {{ option.snake }}={{ option.snake }},
{% endfor %}
{% if method.wait %}
            on_poll=on_poll,
{% endif %}
        )

{% endfor %}
    def __repr__(self) -> str:
        """Show whom it acts for."""
        return f"{{ prefix }}Customer({self._email!r})"
