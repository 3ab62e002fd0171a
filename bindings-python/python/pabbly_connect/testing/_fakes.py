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
        AdminLink,
        App,
        AppPage,
        AppSettings,
        AsyncAppPage,
        AsyncConnectionPage,
        AsyncContactPage,
        AuthOptionList,
        Connection,
        ConnectionPage,
        ContactPage,
        Erasure,
        Event,
        KeyList,
        OAuthClient,
        OAuthClientRemoval,
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
        list_contacts: Result[ContactPage] = NO_RESULT,
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
        delete_customer: Result[Erasure] = NO_RESULT,
        get_app_settings: Result[AppSettings] = NO_RESULT,
        set_app_settings: Result[AppSettings] = NO_RESULT,
        set_oauth_client: Result[OAuthClient] = NO_RESULT,
        get_oauth_client: Result[OAuthClient] = NO_RESULT,
        delete_oauth_client: Result[OAuthClientRemoval] = NO_RESULT,
        set_organization_oauth_client: Result[OAuthClient] = NO_RESULT,
        get_organization_oauth_client: Result[OAuthClient] = NO_RESULT,
        delete_organization_oauth_client: Result[OAuthClientRemoval] = NO_RESULT,
        delete_organization_app: Result[Erasure] = NO_RESULT,
        create_admin_link: Result[AdminLink] = NO_RESULT,
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
            "list_contacts": list_contacts,
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
            "delete_customer": delete_customer,
            "get_app_settings": get_app_settings,
            "set_app_settings": set_app_settings,
            "set_oauth_client": set_oauth_client,
            "get_oauth_client": get_oauth_client,
            "delete_oauth_client": delete_oauth_client,
            "set_organization_oauth_client": set_organization_oauth_client,
            "get_organization_oauth_client": get_organization_oauth_client,
            "delete_organization_oauth_client": delete_organization_oauth_client,
            "delete_organization_app": delete_organization_app,
            "create_admin_link": create_admin_link,
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
        list_contacts: AsyncResult[AsyncContactPage] = NO_RESULT,
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
        delete_customer: AsyncResult[Erasure] = NO_RESULT,
        get_app_settings: AsyncResult[AppSettings] = NO_RESULT,
        set_app_settings: AsyncResult[AppSettings] = NO_RESULT,
        set_oauth_client: AsyncResult[OAuthClient] = NO_RESULT,
        get_oauth_client: AsyncResult[OAuthClient] = NO_RESULT,
        delete_oauth_client: AsyncResult[OAuthClientRemoval] = NO_RESULT,
        set_organization_oauth_client: AsyncResult[OAuthClient] = NO_RESULT,
        get_organization_oauth_client: AsyncResult[OAuthClient] = NO_RESULT,
        delete_organization_oauth_client: AsyncResult[OAuthClientRemoval] = NO_RESULT,
        delete_organization_app: AsyncResult[Erasure] = NO_RESULT,
        create_admin_link: AsyncResult[AdminLink] = NO_RESULT,
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
            "list_contacts": list_contacts,
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
            "delete_customer": delete_customer,
            "get_app_settings": get_app_settings,
            "set_app_settings": set_app_settings,
            "set_oauth_client": set_oauth_client,
            "get_oauth_client": get_oauth_client,
            "delete_oauth_client": delete_oauth_client,
            "set_organization_oauth_client": set_organization_oauth_client,
            "get_organization_oauth_client": get_organization_oauth_client,
            "delete_organization_oauth_client": delete_organization_oauth_client,
            "delete_organization_app": delete_organization_app,
            "create_admin_link": create_admin_link,
            "events": events,
        }
        self.calls = []
        self._native = fake_native(results, self.calls, CLEARABLE)
        # This imports asyncio.
        from .._bridge import run

        self._run = run
