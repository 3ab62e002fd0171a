"""Clients that call no service.

Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.
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
        App,
        AppPage,
        AsyncAppPage,
        AsyncConnectionPage,
        AuthOptionList,
        Connection,
        ConnectionPage,
        Event,
        KeyList,
        PromotedKey,
        RequestLink,
        RotatedKey,
        Submission,
        Verification,
    )
    from .._native import Token
    from .._proxy import AsyncProxyResponse, ProxyResponse

T = TypeVar("T")
Result = Union[T, BaseException, Callable[..., T]]
"""What a method gives: a result, an error, or a function of its arguments that gives or raises them."""
AsyncResult = Union[Result[T], Callable[..., Awaitable[T]]]
"""The same of the client for asyncio, where the function may be asynchronous."""

CLEARABLE = {
    "updateConnection": ["customer_id", "customer_name"],
}
"""Options that None removes, rather than leaves as they are."""


class FakeClient(PabblyConnectPlatform):
    """A client that calls no service: `FakeClient(get_token=Token.of(access_token="test"))`.

    Arguments are checked as the real client checks them. A method without a result raises an error that names it. A
    list has the one page that it was given, and the feed ends with its events.
    """

    calls: list[Any]
    """How it was called, also through `customer`, to compare with `unittest.mock.call`: `call.get_token(email, id)`."""

    def __init__(
        self,
        *,
        list_apps: Result[AppPage] = NO_RESULT,
        get_app: Result[App] = NO_RESULT,
        create_request_link: Result[RequestLink] = NO_RESULT,
        get_connection: Result[Connection] = NO_RESULT,
        wait_for_connection: Result[Connection] = NO_RESULT,
        confirm_connection: Result[Connection] = NO_RESULT,
        get_token: Result[Token] = NO_RESULT,
        proxy: Result[ProxyResponse] = NO_RESULT,
        list_connections: Result[ConnectionPage] = NO_RESULT,
        update_connection: Result[Connection] = NO_RESULT,
        import_connection: Result[Connection] = NO_RESULT,
        verify_connection: Result[Verification] = NO_RESULT,
        add_usage: Result[None] = NO_RESULT,
        remove_usage: Result[None] = NO_RESULT,
        delete_connection: Result[None] = NO_RESULT,
        list_auth_options: Result[AuthOptionList] = NO_RESULT,
        submit_credentials: Result[Submission] = NO_RESULT,
        list_keys: Result[KeyList] = NO_RESULT,
        rotate_key: Result[RotatedKey] = NO_RESULT,
        promote_key: Result[PromotedKey] = NO_RESULT,
        events: Result[list[Event]] = NO_RESULT,
    ) -> None:
        """Take what each method gives."""
        results = {
            "list_apps": list_apps,
            "get_app": get_app,
            "create_request_link": create_request_link,
            "get_connection": get_connection,
            "wait_for_connection": wait_for_connection,
            "confirm_connection": confirm_connection,
            "get_token": get_token,
            "proxy": proxy,
            "list_connections": list_connections,
            "update_connection": update_connection,
            "import_connection": import_connection,
            "verify_connection": verify_connection,
            "add_usage": add_usage,
            "remove_usage": remove_usage,
            "delete_connection": delete_connection,
            "list_auth_options": list_auth_options,
            "submit_credentials": submit_credentials,
            "list_keys": list_keys,
            "rotate_key": rotate_key,
            "promote_key": promote_key,
            "events": events,
        }
        self.calls = []
        self._native = fake_native(results, self.calls, CLEARABLE)


class FakeAsyncClient(AsyncPabblyConnectPlatform):
    """A client for asyncio that calls no service: `FakeAsyncClient(get_token=Token.of(access_token="test"))`.

    Arguments are checked as the real client checks them. A method without a result raises an error that names it. A
    list has the one page that it was given, and the feed ends with its events.
    """

    calls: list[Any]
    """How it was called, also through `customer`, to compare with `unittest.mock.call`: `call.get_token(email, id)`."""

    def __init__(
        self,
        *,
        list_apps: AsyncResult[AsyncAppPage] = NO_RESULT,
        get_app: AsyncResult[App] = NO_RESULT,
        create_request_link: AsyncResult[RequestLink] = NO_RESULT,
        get_connection: AsyncResult[Connection] = NO_RESULT,
        wait_for_connection: AsyncResult[Connection] = NO_RESULT,
        confirm_connection: AsyncResult[Connection] = NO_RESULT,
        get_token: AsyncResult[Token] = NO_RESULT,
        proxy: AsyncResult[AsyncProxyResponse] = NO_RESULT,
        list_connections: AsyncResult[AsyncConnectionPage] = NO_RESULT,
        update_connection: AsyncResult[Connection] = NO_RESULT,
        import_connection: AsyncResult[Connection] = NO_RESULT,
        verify_connection: AsyncResult[Verification] = NO_RESULT,
        add_usage: AsyncResult[None] = NO_RESULT,
        remove_usage: AsyncResult[None] = NO_RESULT,
        delete_connection: AsyncResult[None] = NO_RESULT,
        list_auth_options: AsyncResult[AuthOptionList] = NO_RESULT,
        submit_credentials: AsyncResult[Submission] = NO_RESULT,
        list_keys: AsyncResult[KeyList] = NO_RESULT,
        rotate_key: AsyncResult[RotatedKey] = NO_RESULT,
        promote_key: AsyncResult[PromotedKey] = NO_RESULT,
        events: AsyncResult[list[Event]] = NO_RESULT,
    ) -> None:
        """Take what each method gives."""
        results = {
            "list_apps": list_apps,
            "get_app": get_app,
            "create_request_link": create_request_link,
            "get_connection": get_connection,
            "wait_for_connection": wait_for_connection,
            "confirm_connection": confirm_connection,
            "get_token": get_token,
            "proxy": proxy,
            "list_connections": list_connections,
            "update_connection": update_connection,
            "import_connection": import_connection,
            "verify_connection": verify_connection,
            "add_usage": add_usage,
            "remove_usage": remove_usage,
            "delete_connection": delete_connection,
            "list_auth_options": list_auth_options,
            "submit_credentials": submit_credentials,
            "list_keys": list_keys,
            "rotate_key": rotate_key,
            "promote_key": promote_key,
            "events": events,
        }
        self.calls = []
        self._native = fake_native(results, self.calls, CLEARABLE)
        # This imports asyncio.
        from .._bridge import run

        self._run = run
