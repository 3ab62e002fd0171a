"""The client whose calls block. Each runs on the thread that makes it, without the GIL.

Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.
"""

from __future__ import annotations

from ._logging import wanted
from ._native import Client
from ._settings import UNCHANGED, Unchanged, changed, listed, pem, product
from ._shared import Shared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Any

    from ._models import (
        AdminLink,
        App,
        AppPage,
        AppSettings,
        AuthOptionList,
        Connection,
        ConnectionPage,
        ContactPage,
        Erasure,
        EventFeed,
        KeyList,
        OAuthClient,
        OAuthClientRemoval,
        Poll,
        PromotedKey,
        RequestLink,
        RotatedKey,
        Submission,
        Verification,
    )
    from ._native import Token
    from ._proxy import Body, Pairs, ProxyResponse


class PabblyConnectPlatform(Shared):
    """A client of the connection manager for one tenant. Make one and reuse it: it keeps connections open.

    Any number of threads may use it at once, and so may processes that are forked. Its key is only for a backend:
    never put it into a browser, an app or a model's context.

    Every call but a wait takes three options:

    - `timeout`: Bounds each attempt, its body included. Default: the client's.
    - `deadline`: Bounds the whole call: all attempts and the waits between them. Default: none.
    - `max_retries`: How often a 503 is tried again; 0 means never. Default: the client's.
    """

    __slots__ = ("__weakref__", "_native")

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        max_retries: int | None = None,
        timeout: float | None = None,
        backoff: float | None = None,
        allow_insecure_http: bool = False,
        proxy: str | None = None,
        ca_certificates: str | bytes | None = None,
        system_trust_store: bool = False,
        user_agent: str | None = None,
        requests_per_minute: int | None = None,
    ) -> None:
        """Check the settings and make a client; nothing is sent.

        - `api_key`: The tenant key, `pk_live_…`. Default: `PC_TENANT_KEY` of the environment.
        - `base_url`: Where the service is. Default: `PC_BASE_URL` of the environment, else
          `https://connect.pabbly.com/platform/v1`.
        - `max_retries`: How often a 503 is tried again; 0 means never. Nothing else is ever tried again. Default: 2.
        - `timeout`: Bounds each attempt, its body included. Default: 30 s.
        - `backoff`: The longest pause before the first retry; it doubles with each, up to 16 times. Default: 500 ms.
        - `allow_insecure_http`: Allows plain `http://` to other machines than this one. Over it the tenant key and the
          vended credentials can be read by everybody in between. Default: false.
        - `proxy`: Sends everything through this proxy, such as `http://user:password@127.0.0.1:3128`. Default:
          `HTTPS_PROXY`, `NO_PROXY` and the like of the environment.
        - `ca_certificates`: Trusts these certificate authorities (PEM, one or many) beside Mozilla's roots or those
          that the environment names instead.
        - `system_trust_store`: Trusts the operating system's trust store instead of Mozilla's roots. On Linux it is
          read when the client is made, which takes about 3 ms. Default: false.
        - `user_agent`: Put before the SDK's own name in `User-Agent`, such as `my-product/1.2`.
        - `requests_per_minute`: The tenant's budget for everything but tokens, which waits keep. The service tells its
          own. Default: 120.

        Raises `InvalidArgumentError` where a setting is missing or malformed.
        """
        try:
            self._native = Client(
                blocking=True,
                settings={
                    "api_key": api_key,
                    "base_url": base_url,
                    "max_retries": max_retries,
                    "timeout": timeout,
                    "backoff": backoff,
                    "allow_insecure_http": allow_insecure_http,
                    "proxy": proxy,
                    "ca_certificates": pem(ca_certificates),
                    "system_trust_store": system_trust_store,
                    "user_agent": product(user_agent),
                    "requests_per_minute": requests_per_minute,
                },
            )
        finally:
            # What prints a traceback's variables must not find them.
            del api_key, base_url, proxy

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

    def customer(self, email: str) -> Customer:
        """Narrow the client to one customer, named by e-mail; take it from your own authenticated session."""
        return Customer(self, email)

    def list_apps(
        self,
        *,
        search: str | None = None,
        page: int | None = None,
        limit: int | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> AppPage:
        """The app catalogue. One page; iterate over it for all that follow too. Needs the capability `apps`.

        - `search`: Only apps whose name, id or category holds this.
        - `page`: Which page, from 1. Default: the first.
        - `limit`: How many apps a page holds, 1 to 100. Default: the service's, 20.
        """
        from ._models import AppPage

        call = self._native.prepare(
            "listApps",
            None,
            (),
            {
                "search": search,
                "page": page,
                "limit": limit,
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        return AppPage.first(call.run(wanted()))

    def get_app(
        self,
        app_id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> App:
        """One app of the catalogue. Needs the capability `apps`.

        Raises `PabblyConnectError` with the code `app_not_found` for an unknown one.
        """
        from ._models import App

        call = self._native.prepare(
            "getApp",
            None,
            (app_id,),
            {
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        return App.from_dict(call.run(wanted()))

    def create_request_link(
        self,
        email: str,
        *,
        app_id: str | None = None,
        name: str,
        connection_id: str | None = None,
        auth_option_key: str | None = None,
        allowed_apps: Iterable[str] | None = None,
        return_url: str | None = None,
        allowed_origin: str | None = None,
        display_name: str | None = None,
        locale: str | None = None,
        expires_in: int | None = None,
        allow_multiple_connections: bool | None = None,
        scopes: Iterable[str] | None = None,
        confirm: bool | None = None,
        allow_account_change: bool | None = None,
        customer_id: str | None = None,
        customer_name: str | None = None,
        metadata: dict[str, Any] | None = None,
        organization: dict[str, Any] | None = None,
        webhook_url: str | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> RequestLink:
        """Makes a hosted page where the customer connects an app. Needs the capability `connections`.

        Hand the result's `request_link`, `request_token` and `connection_id` to your front end. All options but
        `app_id` and `name` are extensions of the guide's contract.

        - `app_id`: The app, from the catalogue. Only with `allowed_apps` or `connection_id` it may be left out.
        - `name`: What the customer sees later, such as `Work Gmail`.
        - `connection_id`: Re-authorises this connection in place: it keeps its id, and takes the link's `name`.
        - `auth_option_key`: Which of the app's auth options the customer uses, by its key.
        - `allowed_apps`: The ids of the apps that the customer may choose from on the hosted page, instead of `app_id`.
        - `return_url`: Where the hosted page sends the customer when it is done, with connection_id, status and
          operation in the query, and without success error, error_description and errorData.
        - `allowed_origin`: The only web origin that may read the link's public status. Default: any.
        - `display_name`: The name of your product, or of the customer, on the hosted page.
        - `locale`: The language of the hosted page, such as `de` or `fr-CA`. Default: what the customer's browser
          prefers.
        - `expires_in`: How long the link lives, in whole seconds: from a minute to a day. Default: the service's, 10
          minutes.
        - `allow_multiple_connections`: Whether the customer may have several connections of this app. Where not, an
          active one is re-authorised.
        - `scopes`: The OAuth scopes to ask for instead of the app's own.
        - `confirm`: Whether the grant waits until `confirm_connection` says whose it is. Needs `return_url`. For
          products whose customers do not know each other.
        - `allow_account_change`: With `connection_id`, whether the customer may choose another account than the one
          that the connection is for. Default: false.
        - `customer_id`: Your own id for the customer, to find connections by. Nothing is authorised by it.
        - `customer_name`: Your own name for the customer.
        - `metadata`: A JSON object of your own, kept with the connection: at most 16 KiB, nested at most 8 deep.
        - `organization`: The organization that the connection is for: `id` (your own, no email), and perhaps `name` and
          `role`. Its OAuth client can be the one that the app is connected with.
        - `webhook_url`: Where `connection.active`, `connection.failed`, `connection.rejected` and `connection.expired`
          of this link are sent, too. Its scheme, host and port must be those of one of your webhook endpoints, whose
          secret signs.
        - `idempotency_key`: Calls with the same key and options within a day make one link. Default: one for each call,
          which its retries share.
        """
        from ._models import RequestLink

        call = self._native.prepare(
            "createRequestLink",
            email,
            (),
            {
                "app_id": app_id,
                "name": name,
                "connection_id": connection_id,
                "auth_option_key": auth_option_key,
                "allowed_apps": listed(allowed_apps),
                "return_url": return_url,
                "allowed_origin": allowed_origin,
                "display_name": display_name,
                "locale": locale,
                "expires_in": expires_in,
                "allow_multiple_connections": allow_multiple_connections,
                "scopes": listed(scopes),
                "confirm": confirm,
                "allow_account_change": allow_account_change,
                "customer_id": customer_id,
                "customer_name": customer_name,
                "metadata": metadata,
                "organization": organization,
                "webhook_url": webhook_url,
                "idempotency_key": idempotency_key,
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        return RequestLink.from_dict(call.run(wanted()))

    def get_connection(
        self,
        email: str,
        id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> Connection:
        """One connection and its status. Needs the capability `connections`.

        Raises `ConnectionDeletedError` where there is no such connection of this tenant and customer.
        """
        from ._models import Connection

        call = self._native.prepare(
            "getConnection",
            email,
            (id,),
            {
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        return Connection.from_dict(call.run(wanted()))

    def wait_for_connection(
        self,
        email: str,
        id: str,
        *,
        interval: float | None = None,
        timeout: float | None = None,
        on_poll: Callable[[Poll], object] | None = None,
    ) -> Connection:
        """Waits until the connection is no longer pending, and gives it. Needs the capability `connections`.

        - `interval`: The time between two polls, at least 100 ms. Default: 2 s.
        - `timeout`: How long to wait at most. Default: until the link expires.
        - `on_poll`: called after each poll that did not end the wait. Where it raises, the wait ends with that.

        Raises `WaitTimeoutError` with the connection if a poll saw it, when the time is over.
        """
        from ._models import Connection, listener

        call = self._native.prepare(
            "waitForConnection",
            email,
            (id,),
            {
                "interval": interval,
                "timeout": timeout,
            },
            on_poll is not None,
        )
        return Connection.from_dict(call.run(wanted(), listener(on_poll)))

    def confirm_connection(
        self,
        email: str,
        id: str,
        code: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> Connection:
        """Makes a connection active whose link was made with `confirm`. Needs the capability `connections`.

        Take the e-mail from the session of that very request: then nobody can have their link finished by somebody
        else.

        Raises `ConnectionDeletedError` where the session's customer has no such connection.
        """
        from ._models import Connection

        call = self._native.prepare(
            "confirmConnection",
            email,
            (id, code),
            {
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        return Connection.from_dict(call.run(wanted()))

    def get_token(
        self,
        email: str,
        id: str,
        *,
        rejected: Token | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> Token:
        """A credential that works now, refreshed where needed. Ask each time; never store or log it. Needs the
        capability `token`.

        - `rejected`: A token that the provider's API refused although it has not expired: if it is still the current
          one, it is refreshed. Only its SHA-256 is sent.

        Raises `NeedsReconnectionError` where the grant was revoked or has expired: send the customer through the
        connect flow again.
        """
        call = self._native.prepare(
            "getToken",
            email,
            (id,),
            {
                "rejected": rejected,
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        token: Token = call.run(wanted())
        return token

    def proxy(
        self,
        email: str,
        id: str,
        *,
        method: str | None = None,
        path: str,
        query: Pairs | None = None,
        headers: Pairs | None = None,
        body: Body | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> ProxyResponse:
        """Calls the provider's API through the platform, which adds the connection's credential. Needs the capability
        `proxy`.

        The provider's response is given back whatever its status, its body to be read as it arrives; only what the
        platform itself answers is an error. Nothing that may have reached the provider is sent again: a 503 of the
        platform is, where the body is no stream. `timeout` bounds each attempt up to the response's headers, and after
        that the time until each next part of its body.

        - `method`: The HTTP method. Default: `GET`.
        - `path`: What follows the connection's `api_base_url`, as the provider documents it; it may have a query.
        - `query`: Query parameters beside those of the path.
        - `headers`: Headers for the provider. `content-length` tells how long a body is that is a stream; some
          providers refuse one without.
        - `body`: The body. A stream is sent as fast as the provider takes it, and once at most.

        Raises `NeedsReconnectionError` where the grant was revoked or has expired: send the customer through the
        connect flow again.

        Raises `PabblyConnectError` with the code `provider_no_response` or `provider_timeout` where the provider may
        have carried the request out.
        """
        from ._proxy import ProxyResponse, prepared

        try:
            call = prepared(
                self._native,
                email,
                id,
                {
                    "method": method,
                    "path": path,
                    "query": query,
                    "headers": headers,
                    "timeout": timeout,
                    "deadline": deadline,
                    "max_retries": max_retries,
                },
                body,
            )
        finally:
            # What prints a traceback's variables must not find them.
            del query, headers, body
        return ProxyResponse.of_call(call)

    def list_connections(
        self,
        email: str,
        *,
        app_id: str | None = None,
        status: str | None = None,
        customer_id: str | None = None,
        needs_reconnection: bool | None = None,
        page: int | None = None,
        limit: int | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> ConnectionPage:
        """The customer's connections that this tenant made. One page; iterate over it for all that follow too. Needs
        the capability `connections`.

        - `app_id`: Only connections of this app.
        - `status`: Only connections with this status.
        - `customer_id`: Only connections with this `customer_id`.
        - `needs_reconnection`: Only connections that need the customer again, or only the others.
        - `page`: Which page, from 1. Default: the first.
        - `limit`: How many connections a page holds, 1 to 100. Default: the service's, 20.
        """
        from ._models import ConnectionPage

        call = self._native.prepare(
            "listConnections",
            email,
            (),
            {
                "app_id": app_id,
                "status": status,
                "customer_id": customer_id,
                "needs_reconnection": needs_reconnection,
                "page": page,
                "limit": limit,
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        return ConnectionPage.first(call.run(wanted()))

    def list_contacts(
        self,
        email: str,
        *,
        app_id: str | None = None,
        connection_id: str | None = None,
        search: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> ContactPage:
        """The contacts of the customer's CRMs, in one shape and none twice. One page; iterate over it for all that
        follow too. Needs the capability `proxy`.

        A connection that fails is among the `errors` of a page, with the cursor where its contacts go on; an iteration
        raises the first of them at its end, after all contacts that there are.

        - `app_id`: Only contacts of this app's connections, such as `hubspot`. Default: all CRMs.
        - `connection_id`: Only contacts of this connection.
        - `search`: Only contacts in which the CRM finds this text.
        - `cursor`: Goes on at this cursor, of a page or of one of its errors, with the same other options.
        - `limit`: How many contacts a CRM is asked for at a time, 1 to 100. Default: the service's, 20.
        """
        from ._models import ContactPage

        call = self._native.prepare(
            "listContacts",
            email,
            (),
            {
                "app_id": app_id,
                "connection_id": connection_id,
                "search": search,
                "cursor": cursor,
                "limit": limit,
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        return ContactPage.first(call.run(wanted()))

    def update_connection(
        self,
        email: str,
        id: str,
        *,
        name: str | None = None,
        customer_id: str | Unchanged | None = UNCHANGED,
        customer_name: str | Unchanged | None = UNCHANGED,
        metadata: dict[str, Any] | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> Connection:
        """Changes a connection's name, labels or metadata, and gives the connection. What is left out stays. Needs the
        capability `connections`.

        - `name`: What the customer sees, such as `Work Gmail`.
        - `customer_id`: Your own id for the customer. None removes it.
        - `customer_name`: Your own name for the customer. None removes it.
        - `metadata`: Replaces the whole object; an empty one removes it.

        Raises `ConnectionDeletedError` where there is no such connection of this tenant and customer.
        """
        from ._models import Connection

        call = self._native.prepare(
            "updateConnection",
            email,
            (id,),
            changed(
                {
                    "name": name,
                    "customer_id": customer_id,
                    "customer_name": customer_name,
                    "metadata": metadata,
                    "timeout": timeout,
                    "deadline": deadline,
                    "max_retries": max_retries,
                }
            ),
        )
        return Connection.from_dict(call.run(wanted()))

    def import_connection(
        self,
        email: str,
        *,
        app_id: str,
        name: str,
        auth_option_key: str | None = None,
        fields: dict[str, str] | None = None,
        access_token: str | None = None,
        refresh_token: str | None = None,
        client_source: str | None = None,
        organization: dict[str, Any] | None = None,
        token_type: str | None = None,
        expires_in: int | None = None,
        scopes: Iterable[str] | None = None,
        provider_data: dict[str, Any] | None = None,
        customer_id: str | None = None,
        customer_name: str | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> Connection:
        """Makes a connection of a credential that you have already, past the hosted page. Needs the capability
        `import`.

        Keys go into `fields`, OAuth tokens into `access_token` or `refresh_token`. The provider is asked whether it
        accepts the credential, where that can be asked; a refresh token is refreshed at once. You answer for the
        customer's consent.

        - `app_id`: The app, from the catalogue.
        - `name`: What the customer sees, such as `Work Gmail`.
        - `auth_option_key`: The key of the app's auth option. Default: the first that such a credential is of.
        - `fields`: The credential, by the names of the option's `input_schema`; for OAuth what else the option asks
          for.
        - `access_token`: An access token, for an OAuth option.
        - `refresh_token`: A refresh token, for an OAuth option, with `client_source`. What the provider gives for it is
          stored.
        - `client_source`: Whose OAuth client the tokens were issued to: `operator`, `tenant` or `organization`.
          Default: the operator's; with a refresh token there is none.
        - `organization`: The organization that the connection is for: `id` (your own, no email), and perhaps `name`.
        - `token_type`: The type of the access token. Default: `Bearer`.
        - `expires_in`: How long the access token lives, in whole seconds. Without a refresh token, the customer has to
          connect then. Default: unknown.
        - `scopes`: The OAuth scopes that were granted.
        - `provider_data`: What calls to the provider need beside the credential, as far as the app's file names it and
          the provider does not tell.
        - `customer_id`: Your own id for the customer, to find connections by. Nothing is authorised by it.
        - `customer_name`: Your own name for the customer.
        - `metadata`: A JSON object of your own, kept with the connection: at most 16 KiB, nested at most 8 deep.
        - `idempotency_key`: Calls with the same key and options within a day make one connection. Default: one for each
          call, which its retries share.

        Raises `PabblyConnectError` with the code `invalid_request` and `fields`, a sentence for each field that is at
        fault.
        """
        from ._models import Connection

        try:
            call = self._native.prepare(
                "importConnection",
                email,
                (),
                {
                    "app_id": app_id,
                    "name": name,
                    "auth_option_key": auth_option_key,
                    "fields": fields,
                    "access_token": access_token,
                    "refresh_token": refresh_token,
                    "client_source": client_source,
                    "organization": organization,
                    "token_type": token_type,
                    "expires_in": expires_in,
                    "scopes": listed(scopes),
                    "provider_data": provider_data,
                    "customer_id": customer_id,
                    "customer_name": customer_name,
                    "metadata": metadata,
                    "idempotency_key": idempotency_key,
                    "timeout": timeout,
                    "deadline": deadline,
                    "max_retries": max_retries,
                },
            )
        finally:
            # What prints a traceback's variables must not find them.
            del fields, access_token, refresh_token
        return Connection.from_dict(call.run(wanted()))

    def verify_connection(
        self,
        email: str,
        id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> Verification:
        """Checks the connection's credential at the provider. The connection stays as it is. Needs the capability
        `connections`.

        Raises `NeedsReconnectionError` where the grant was revoked or has expired: send the customer through the
        connect flow again.
        """
        from ._models import Verification

        call = self._native.prepare(
            "verifyConnection",
            email,
            (id,),
            {
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        return Verification.from_dict(call.run(wanted()))

    def add_usage(
        self,
        email: str,
        id: str,
        usage_id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> None:
        """Marks a connection as in use: it cannot be deleted until the usage is removed. Repeating it changes nothing.
        Needs the capability `connections`.

        Raises `ConnectionDeletedError` where there is no such connection of this tenant and customer.
        """
        call = self._native.prepare(
            "addUsage",
            email,
            (id, usage_id),
            {
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        call.run(wanted())

    def remove_usage(
        self,
        email: str,
        id: str,
        usage_id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> None:
        """Marks a connection as no longer in use. Removing a usage that is not there succeeds as well. Needs the
        capability `connections`.

        Raises `ConnectionDeletedError` where there is no such connection of this tenant and customer.
        """
        call = self._native.prepare(
            "removeUsage",
            email,
            (id, usage_id),
            {
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        call.run(wanted())

    def delete_connection(
        self,
        email: str,
        id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> None:
        """Deletes a connection and its credential. Needs the capability `delete`.

        Raises `ConnectionInUseError` while something uses it.
        """
        call = self._native.prepare(
            "deleteConnection",
            email,
            (id,),
            {
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        call.run(wanted())

    def list_auth_options(
        self,
        id: str,
        request_token: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> AuthOptionList:
        """The ways to authorise a link's app, for a connection form of your own.

        The request token takes the place of the tenant key, which is not sent. Lists the options of all apps that the
        link allows.

        Raises `ConnectionDeletedError` where there is no such link.
        """
        from ._models import AuthOptionList

        try:
            call = self._native.prepare(
                "listAuthOptions",
                None,
                (id, request_token),
                {
                    "timeout": timeout,
                    "deadline": deadline,
                    "max_retries": max_retries,
                },
            )
        finally:
            # What prints a traceback's variables must not find them.
            del request_token
        return AuthOptionList.from_dict(call.run(wanted()))

    def submit_credentials(
        self,
        id: str,
        request_token: str,
        *,
        auth_option_key: str,
        app_id: str | None = None,
        fields: dict[str, str] | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> Submission:
        """Submits a connection form of your own.

        The request token takes the place of the tenant key, which is not sent. For OAuth, send the customer's browser
        to the result's `authorize_url`.

        - `auth_option_key`: The `key` of the chosen auth option.
        - `app_id`: The id of the chosen app. Needed where the link allows several.
        - `fields`: What the customer entered, by the names of the option's `input_schema`. Not needed for OAuth.

        Raises `ConnectionDeletedError` where there is no such link.

        Raises `PabblyConnectError` with the code `invalid_request` and `fields`, a sentence for each field that is at
        fault.
        """
        from ._models import Submission

        try:
            call = self._native.prepare(
                "submitCredentials",
                None,
                (id, request_token),
                {
                    "auth_option_key": auth_option_key,
                    "app_id": app_id,
                    "fields": fields,
                    "timeout": timeout,
                    "deadline": deadline,
                    "max_retries": max_retries,
                },
            )
        finally:
            # What prints a traceback's variables must not find them.
            del request_token, fields
        return Submission.from_dict(call.run(wanted()))

    def list_keys(
        self,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> KeyList:
        """The tenant's keys, without their text. Needs the capability `admin`."""
        from ._models import KeyList

        call = self._native.prepare(
            "listKeys",
            None,
            (),
            {
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        return KeyList.from_dict(call.run(wanted()))

    def rotate_key(
        self,
        *,
        key_id: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> RotatedKey:
        """Makes a key's successor, which the result holds this once. Both keys work until `promote_key`. Needs the
        capability `admin`.

        - `key_id`: Which key. Default: the key that asks.

        Raises `PabblyConnectError` with the code `key_not_found` or `rotation_conflict` where the keys are not in the
        state that this needs.
        """
        from ._models import RotatedKey

        call = self._native.prepare(
            "rotateKey",
            None,
            (),
            {
                "key_id": key_id,
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        return RotatedKey.from_dict(call.run(wanted()))

    def promote_key(
        self,
        *,
        key_id: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> PromotedKey:
        """Retires a key in favour of its successor, which must have been used before. Needs the capability `admin`.

        - `key_id`: Either of the two keys. Default: the key that asks.

        Raises `PabblyConnectError` with the code `key_not_found` or `rotation_conflict` where the keys are not in the
        state that this needs.
        """
        from ._models import PromotedKey

        call = self._native.prepare(
            "promoteKey",
            None,
            (),
            {
                "key_id": key_id,
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        return PromotedKey.from_dict(call.run(wanted()))

    def delete_customer(
        self,
        email: str,
        *,
        force: bool | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> Erasure:
        """Removes everything of a customer. Needs the capability `delete`.

        All of the customer's connections are removed, and what was granted is revoked at the provider where that is
        possible. Events stay, with ids alone. Where something uses a connection, nothing is removed, unless `force` is
        given.

        - `force`: Whether connections that something uses are removed, too. Default: false.

        Raises `ConnectionInUseError` while something uses one of the connections, and `force` is not given.
        """
        from ._models import Erasure

        call = self._native.prepare(
            "deleteCustomer",
            email,
            (),
            {
                "force": force,
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        return Erasure.from_dict(call.run(wanted()))

    def get_app_settings(
        self,
        app_id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> AppSettings:
        """What you say of an app. Needs the capability `admin`.

        Raises `PabblyConnectError` with the code `app_not_found` for an unknown app.
        """
        from ._models import AppSettings

        call = self._native.prepare(
            "getAppSettings",
            None,
            (app_id,),
            {
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        return AppSettings.from_dict(call.run(wanted()))

    def set_app_settings(
        self,
        app_id: str,
        *,
        managed_by: str | None = None,
        instructions: str | None = None,
        admin_role_required: bool | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> AppSettings:
        """Says whether organizations bring OAuth clients of their own for an app. Replaces all of its settings. Needs
        the capability `admin`.

        - `managed_by`: `organization`: the first person of an organization is asked for its OAuth client on the hosted
          page, and everybody else of it goes straight on. Default: none.
        - `instructions`: How to get a client, for the person who enters it, in CommonMark. HTML and images are shown as
          text. Default: none.
        - `admin_role_required`: Whether only customers whose link says the role `admin` may enter a client. Default:
          false.

        Raises `PabblyConnectError` with the code `app_not_found` for an unknown app.
        """
        from ._models import AppSettings

        call = self._native.prepare(
            "setAppSettings",
            None,
            (app_id,),
            {
                "managed_by": managed_by,
                "instructions": instructions,
                "admin_role_required": admin_role_required,
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        return AppSettings.from_dict(call.run(wanted()))

    def set_oauth_client(
        self,
        app_id: str,
        *,
        client_id: str,
        client_secret: str,
        scopes: Iterable[str] | None = None,
        params: dict[str, str] | None = None,
        sandbox: bool | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> OAuthClient:
        """Enters your own OAuth client for an app: new connections are made with it. Needs the capability `admin`.

        The same client id with a new secret continues with all its connections. One with another client id takes the
        place of the one before, which goes on refreshing the connections made with it.

        - `client_id`: The client's id at the provider.
        - `client_secret`: The client's secret. No result, event or log holds it.
        - `scopes`: The OAuth scopes to ask for. Default: the catalogue's.
        - `params`: Further values of the client that the app's file asks for, by name: all of them.
        - `sandbox`: Whether the client is one of the provider's sandbox. Default: false.

        Raises `PabblyConnectError` with the code `app_not_found` for an unknown app.

        Raises `PabblyConnectError` with the code `invalid_request` for what is no client, and perhaps `fields`, a
        sentence for each that is at fault.
        """
        from ._models import OAuthClient

        try:
            call = self._native.prepare(
                "setOAuthClient",
                None,
                (app_id,),
                {
                    "client_id": client_id,
                    "client_secret": client_secret,
                    "scopes": listed(scopes),
                    "params": params,
                    "sandbox": sandbox,
                    "timeout": timeout,
                    "deadline": deadline,
                    "max_retries": max_retries,
                },
            )
        finally:
            # What prints a traceback's variables must not find them.
            del client_secret, params
        return OAuthClient.from_dict(call.run(wanted()))

    def get_oauth_client(
        self,
        app_id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> OAuthClient:
        """Your own OAuth client for an app, without its secret. Needs the capability `admin`.

        Raises `PabblyConnectError` with the code `oauth_client_not_found` where there is none.
        """
        from ._models import OAuthClient

        call = self._native.prepare(
            "getOAuthClient",
            None,
            (app_id,),
            {
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        return OAuthClient.from_dict(call.run(wanted()))

    def delete_oauth_client(
        self,
        app_id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> OAuthClientRemoval:
        """Removes your own OAuth client for an app, and ends its connections and those of the clients that it replaced.
        Needs the capability `admin`.

        They need reconnection, with the reason `client_changed`; what was granted is revoked at the provider where that
        is possible.

        Raises `PabblyConnectError` with the code `oauth_client_not_found` where there is none.
        """
        from ._models import OAuthClientRemoval

        call = self._native.prepare(
            "deleteOAuthClient",
            None,
            (app_id,),
            {
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        return OAuthClientRemoval.from_dict(call.run(wanted()))

    def set_organization_oauth_client(
        self,
        organization_id: str,
        app_id: str,
        *,
        client_id: str,
        client_secret: str,
        scopes: Iterable[str] | None = None,
        params: dict[str, str] | None = None,
        sandbox: bool | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> OAuthClient:
        """Enters an organization's OAuth client for an app: its new connections are made with it. Needs the capability
        `admin`.

        The same client id with a new secret continues with all its connections. One with another client id ends what
        was connected with the one before: those connections need reconnection, with the reason `client_changed`.

        - `client_id`: The client's id at the provider.
        - `client_secret`: The client's secret. No result, event or log holds it.
        - `scopes`: The OAuth scopes to ask for. Default: the catalogue's.
        - `params`: Further values of the client that the app's file asks for, by name: all of them.
        - `sandbox`: Whether the client is one of the provider's sandbox. Default: false.

        Raises `PabblyConnectError` with the code `app_not_found` for an unknown app.

        Raises `PabblyConnectError` with the code `invalid_request` for what is no client, and perhaps `fields`, a
        sentence for each that is at fault.
        """
        from ._models import OAuthClient

        try:
            call = self._native.prepare(
                "setOrganizationOAuthClient",
                None,
                (organization_id, app_id),
                {
                    "client_id": client_id,
                    "client_secret": client_secret,
                    "scopes": listed(scopes),
                    "params": params,
                    "sandbox": sandbox,
                    "timeout": timeout,
                    "deadline": deadline,
                    "max_retries": max_retries,
                },
            )
        finally:
            # What prints a traceback's variables must not find them.
            del client_secret, params
        return OAuthClient.from_dict(call.run(wanted()))

    def get_organization_oauth_client(
        self,
        organization_id: str,
        app_id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> OAuthClient:
        """An organization's OAuth client for an app, without its secret. Needs the capability `admin`.

        Raises `PabblyConnectError` with the code `oauth_client_not_found` where there is none.
        """
        from ._models import OAuthClient

        call = self._native.prepare(
            "getOrganizationOAuthClient",
            None,
            (organization_id, app_id),
            {
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        return OAuthClient.from_dict(call.run(wanted()))

    def delete_organization_oauth_client(
        self,
        organization_id: str,
        app_id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> OAuthClientRemoval:
        """Removes an organization's OAuth client for an app, and ends its connections. Needs the capability `admin`.

        They need reconnection, with the reason `client_changed`; what was granted is revoked at the provider where that
        is possible.

        Raises `PabblyConnectError` with the code `oauth_client_not_found` where there is none.
        """
        from ._models import OAuthClientRemoval

        call = self._native.prepare(
            "deleteOrganizationOAuthClient",
            None,
            (organization_id, app_id),
            {
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        return OAuthClientRemoval.from_dict(call.run(wanted()))

    def delete_organization_app(
        self,
        organization_id: str,
        app_id: str,
        *,
        force: bool | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> Erasure:
        """Removes an organization's connections of an app, and its OAuth client. Needs the capability `delete`.

        What was granted is revoked at the provider where that is possible. Where something uses a connection, nothing
        is removed, unless `force` is given.

        - `force`: Whether connections that something uses are removed, too. Default: false.

        Raises `ConnectionInUseError` while something uses one of the connections, and `force` is not given.
        """
        from ._models import Erasure

        call = self._native.prepare(
            "deleteOrganizationApp",
            None,
            (organization_id, app_id),
            {
                "force": force,
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        return Erasure.from_dict(call.run(wanted()))

    def create_admin_link(
        self,
        email: str,
        organization_id: str,
        *,
        name: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> AdminLink:
        """Makes a hosted page where a person looks after the OAuth clients of an organization. Needs the capability
        `admin`.

        Send the person's browser to the result's `admin_link`, once: it works for ten minutes, and in the first browser
        that opens it. You answer for the person's right to do so.

        - `name`: The organization's name, for people. Default: the id.
        """
        from ._models import AdminLink

        call = self._native.prepare(
            "createAdminLink",
            email,
            (organization_id,),
            {
                "name": name,
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        return AdminLink.from_dict(call.run(wanted()))

    def events(
        self,
        *,
        after: str | None = None,
        types: Iterable[str] | None = None,
        connection_id: str | None = None,
        limit: int | None = None,
        wait: float | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> EventFeed:
        """The feed of what happens to the tenant's connections, OAuth clients and keys. `for` gives one after the
        other. Needs the capability `events`.

        Events come in their order, also those that happened while nobody asked. Store an event's `cursor` when you have
        handled it: `after` goes on from there, also after a restart. Events are kept for 30 days. An iteration that has
        begun retries 429, 502 to 504, broken connections and timeouts, and continues after the last event.

        - `after`: Only events after this cursor. `latest`: only those that happen from now on. Default: the oldest
          event that is kept.
        - `types`: Only events of these types, such as `connection.needs_reconnection`. Default: all.
        - `connection_id`: Only events of this connection.
        - `limit`: How many events a request asks for, 1 to 100. Default: the service's, 20.
        - `wait`: How long a request waits for an event where there is none. 0 ends the iteration there. Default: 50 s,
          the longest.

        Raises `CursorExpiredError` where `after` is older than the events that are kept.
        """
        from ._models import Event, EventFeed

        feed = self._native.feed(
            "events",
            {
                "after": after,
                "types": listed(types),
                "connection_id": connection_id,
                "limit": limit,
                "wait": wait,
                "timeout": timeout,
                "deadline": deadline,
                "max_retries": max_retries,
            },
        )
        return EventFeed(feed, Event.from_dict, after)

    def close(self) -> None:
        """Close idle connections. Later calls are refused."""
        self._native.close()

    def __enter__(self) -> PabblyConnectPlatform:
        """Give the client itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the client."""
        self._native.close()


class Customer(Shared):
    """A client that acts for one customer: its methods take no e-mail. Made by `customer`."""

    __slots__ = ("_client", "_email")

    def __init__(self, client: PabblyConnectPlatform, email: str) -> None:
        """Check the address; raises `InvalidUserEmailError` where it is missing or malformed."""
        client._native.check_email(email)
        self._client = client
        self._email = email

    @property
    def email(self) -> str:
        """The customer's e-mail."""
        return self._email

    def create_request_link(
        self,
        *,
        app_id: str | None = None,
        name: str,
        connection_id: str | None = None,
        auth_option_key: str | None = None,
        allowed_apps: Iterable[str] | None = None,
        return_url: str | None = None,
        allowed_origin: str | None = None,
        display_name: str | None = None,
        locale: str | None = None,
        expires_in: int | None = None,
        allow_multiple_connections: bool | None = None,
        scopes: Iterable[str] | None = None,
        confirm: bool | None = None,
        allow_account_change: bool | None = None,
        customer_id: str | None = None,
        customer_name: str | None = None,
        metadata: dict[str, Any] | None = None,
        organization: dict[str, Any] | None = None,
        webhook_url: str | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> RequestLink:
        """See `PabblyConnectPlatform.create_request_link`."""
        return self._client.create_request_link(
            self._email,
            app_id=app_id,
            name=name,
            connection_id=connection_id,
            auth_option_key=auth_option_key,
            allowed_apps=allowed_apps,
            return_url=return_url,
            allowed_origin=allowed_origin,
            display_name=display_name,
            locale=locale,
            expires_in=expires_in,
            allow_multiple_connections=allow_multiple_connections,
            scopes=scopes,
            confirm=confirm,
            allow_account_change=allow_account_change,
            customer_id=customer_id,
            customer_name=customer_name,
            metadata=metadata,
            organization=organization,
            webhook_url=webhook_url,
            idempotency_key=idempotency_key,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
        )

    def get_connection(
        self,
        id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> Connection:
        """See `PabblyConnectPlatform.get_connection`."""
        return self._client.get_connection(
            self._email,
            id,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
        )

    def wait_for_connection(
        self,
        id: str,
        *,
        interval: float | None = None,
        timeout: float | None = None,
        on_poll: Callable[[Poll], object] | None = None,
    ) -> Connection:
        """See `PabblyConnectPlatform.wait_for_connection`."""
        return self._client.wait_for_connection(
            self._email,
            id,
            interval=interval,
            timeout=timeout,
            on_poll=on_poll,
        )

    def confirm_connection(
        self,
        id: str,
        code: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> Connection:
        """See `PabblyConnectPlatform.confirm_connection`."""
        return self._client.confirm_connection(
            self._email,
            id,
            code,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
        )

    def get_token(
        self,
        id: str,
        *,
        rejected: Token | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> Token:
        """See `PabblyConnectPlatform.get_token`."""
        return self._client.get_token(
            self._email,
            id,
            rejected=rejected,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
        )

    def proxy(
        self,
        id: str,
        *,
        method: str | None = None,
        path: str,
        query: Pairs | None = None,
        headers: Pairs | None = None,
        body: Body | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> ProxyResponse:
        """See `PabblyConnectPlatform.proxy`."""
        return self._client.proxy(
            self._email,
            id,
            method=method,
            path=path,
            query=query,
            headers=headers,
            body=body,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
        )

    def list_connections(
        self,
        *,
        app_id: str | None = None,
        status: str | None = None,
        customer_id: str | None = None,
        needs_reconnection: bool | None = None,
        page: int | None = None,
        limit: int | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> ConnectionPage:
        """See `PabblyConnectPlatform.list_connections`."""
        return self._client.list_connections(
            self._email,
            app_id=app_id,
            status=status,
            customer_id=customer_id,
            needs_reconnection=needs_reconnection,
            page=page,
            limit=limit,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
        )

    def list_contacts(
        self,
        *,
        app_id: str | None = None,
        connection_id: str | None = None,
        search: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> ContactPage:
        """See `PabblyConnectPlatform.list_contacts`."""
        return self._client.list_contacts(
            self._email,
            app_id=app_id,
            connection_id=connection_id,
            search=search,
            cursor=cursor,
            limit=limit,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
        )

    def update_connection(
        self,
        id: str,
        *,
        name: str | None = None,
        customer_id: str | Unchanged | None = UNCHANGED,
        customer_name: str | Unchanged | None = UNCHANGED,
        metadata: dict[str, Any] | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> Connection:
        """See `PabblyConnectPlatform.update_connection`."""
        return self._client.update_connection(
            self._email,
            id,
            name=name,
            customer_id=customer_id,
            customer_name=customer_name,
            metadata=metadata,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
        )

    def import_connection(
        self,
        *,
        app_id: str,
        name: str,
        auth_option_key: str | None = None,
        fields: dict[str, str] | None = None,
        access_token: str | None = None,
        refresh_token: str | None = None,
        client_source: str | None = None,
        organization: dict[str, Any] | None = None,
        token_type: str | None = None,
        expires_in: int | None = None,
        scopes: Iterable[str] | None = None,
        provider_data: dict[str, Any] | None = None,
        customer_id: str | None = None,
        customer_name: str | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> Connection:
        """See `PabblyConnectPlatform.import_connection`."""
        return self._client.import_connection(
            self._email,
            app_id=app_id,
            name=name,
            auth_option_key=auth_option_key,
            fields=fields,
            access_token=access_token,
            refresh_token=refresh_token,
            client_source=client_source,
            organization=organization,
            token_type=token_type,
            expires_in=expires_in,
            scopes=scopes,
            provider_data=provider_data,
            customer_id=customer_id,
            customer_name=customer_name,
            metadata=metadata,
            idempotency_key=idempotency_key,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
        )

    def verify_connection(
        self,
        id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> Verification:
        """See `PabblyConnectPlatform.verify_connection`."""
        return self._client.verify_connection(
            self._email,
            id,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
        )

    def add_usage(
        self,
        id: str,
        usage_id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> None:
        """See `PabblyConnectPlatform.add_usage`."""
        return self._client.add_usage(
            self._email,
            id,
            usage_id,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
        )

    def remove_usage(
        self,
        id: str,
        usage_id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> None:
        """See `PabblyConnectPlatform.remove_usage`."""
        return self._client.remove_usage(
            self._email,
            id,
            usage_id,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
        )

    def delete_connection(
        self,
        id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> None:
        """See `PabblyConnectPlatform.delete_connection`."""
        return self._client.delete_connection(
            self._email,
            id,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
        )

    def delete_customer(
        self,
        *,
        force: bool | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> Erasure:
        """See `PabblyConnectPlatform.delete_customer`."""
        return self._client.delete_customer(
            self._email,
            force=force,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
        )

    def create_admin_link(
        self,
        organization_id: str,
        *,
        name: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> AdminLink:
        """See `PabblyConnectPlatform.create_admin_link`."""
        return self._client.create_admin_link(
            self._email,
            organization_id,
            name=name,
            timeout=timeout,
            deadline=deadline,
            max_retries=max_retries,
        )

    def __repr__(self) -> str:
        """Show whom it acts for."""
        return f"Customer({self._email!r})"
