"""The client whose calls block. Each runs on the thread that makes it, without the GIL."""

from __future__ import annotations

from ._logging import wanted
from ._models import App, Connection, RequestLink, listener
from ._native import Client
from ._pages import AppPage, ConnectionPage
from ._settings import listed, pem, product
from ._shared import Shared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from ._models import Poll
    from ._native import Token


class PabblyConnectPlatform(Shared):
    """A client of the connection manager for one tenant. Make one and reuse it: it keeps connections open.

    Any number of threads may use it at once, and so may processes that are forked. Its key is only for a backend:
    never put it into a browser, an app or a model's context.
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
        user_agent: str | None = None,
        requests_per_minute: int | None = None,
    ) -> None:
        """Check the settings and make a client; nothing is sent.

        - `api_key`: the tenant key, `pk_live_…`; the environment's `PC_TENANT_KEY` unless given.
        - `base_url`: where the service is; the environment's `PC_BASE_URL`, else
          `https://connect.pabbly.com/platform/v1`.
        - `max_retries`: how often a 503 is tried again (2); nothing else ever is.
        - `timeout`: seconds that each attempt may take, its body included (30).
        - `backoff`: the longest pause before the first retry, in seconds (0.5); it doubles with each, up to 16 times.
        - `allow_insecure_http`: allow plain HTTP to other machines than this one.
        - `proxy`: send everything through this proxy; `HTTPS_PROXY` and the like unless given.
        - `ca_certificates`: trust these certificate authorities (PEM) beside the others: Mozilla's roots, or those that
          `REQUESTS_CA_BUNDLE`, else `SSL_CERT_FILE` and `SSL_CERT_DIR`, name instead.
        - `user_agent`: put before the SDK's own name in `User-Agent`, such as `my-product/1.2`.
        - `requests_per_minute`: the tenant's budget for everything but tokens, which waits keep (120).

        Raises `InvalidArgumentError` where a setting is missing or malformed.
        """
        try:
            self._native = Client(
                blocking=True,
                api_key=api_key,
                base_url=base_url,
                max_retries=max_retries,
                timeout=timeout,
                backoff=backoff,
                allow_insecure_http=allow_insecure_http,
                proxy=proxy,
                ca_certificates=pem(ca_certificates),
                user_agent=product(user_agent),
                requests_per_minute=requests_per_minute,
            )
        finally:
            # What prints a traceback's variables must not find them.
            del api_key, base_url, proxy

    def set_api_key(self, api_key: str) -> None:
        """Exchange the tenant key while calls are under way.

        What has begun finishes with the old key; later calls, and the next poll of a wait, use the new one. That is how
        a key is rotated without a restart: rotate, give the new key to every client, promote.

        Raises `InvalidArgumentError` where it is no key; the client then goes on with the old one.
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
        """Give one page of the catalogue; iterate over it for all that follow too. Needs the capability `apps`.

        `search` keeps apps whose name, id or category holds it; `page` counts from 1; `limit` is 1 to 100
        (20 unless told).
        """
        return AppPage(*self._native.list_apps(search, page, limit, timeout, deadline, max_retries).run(wanted()))

    def get_app(
        self,
        app_id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> App:
        """Give one app of the catalogue. Needs the capability `apps`.

        Raises `PabblyConnectError` with the code `app_not_found` for an unknown one.
        """
        return App(self._native.get_app(app_id, timeout, deadline, max_retries).run(wanted()))

    def create_request_link(
        self,
        email: str,
        *,
        name: str,
        app_id: str | None = None,
        connection_id: str | None = None,
        auth_option_key: str | None = None,
        allowed_apps: Iterable[str] | None = None,
        return_url: str | None = None,
        allowed_origin: str | None = None,
        display_name: str | None = None,
        expires_in: int | None = None,
        allow_multiple_connections: bool | None = None,
        scopes: Iterable[str] | None = None,
        confirm: bool | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> RequestLink:
        """Make a hosted page where the customer connects an app. Needs the capability `connections`.

        `app_id` is from the catalogue and `name` is what the customer sees later, such as `Work Gmail`. The other
        options are extensions of the guide's contract:

        - `connection_id`: re-authorise this connection in place; it keeps its id, and takes this `name`.
        - `auth_option_key`: which of the app's auth options the customer uses.
        - `allowed_apps`: the ids of the apps that the customer may choose from, instead of `app_id`.
        - `return_url`: where the hosted page sends the customer when it is done.
        - `allowed_origin`: the only web origin that may read the link's public status; any may, where none is named.
        - `display_name`: the name of your product, or of the customer, on the hosted page.
        - `expires_in`: how long the link lives, in seconds from 60 to 86,400 (600 unless told).
        - `allow_multiple_connections`: where False, an active connection of this app is re-authorised.
        - `scopes`: the OAuth scopes to ask for instead of the app's own.
        - `confirm`: where True, the grant waits until `confirm_connection` says whose it is; needs `return_url`.
        - `idempotency_key`: calls with the same key and options within a day make one link.
        """
        return RequestLink(
            self._native.create_request_link(
                email,
                app_id or "",
                name,
                connection_id,
                auth_option_key,
                listed(allowed_apps),
                return_url,
                allowed_origin,
                display_name,
                expires_in,
                allow_multiple_connections,
                listed(scopes),
                confirm,
                idempotency_key,
                timeout,
                deadline,
                max_retries,
            ).run(wanted())
        )

    def get_connection(
        self,
        email: str,
        id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> Connection:
        """Give one connection and its status. Needs the capability `connections`.

        Raises `ConnectionDeletedError` where there is no such connection of this tenant and customer.
        """
        return Connection(self._native.get_connection(email, id, timeout, deadline, max_retries).run(wanted()))

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
        """Make a connection active whose link was made with `confirm`. Needs the capability `connections`.

        `code` is the `confirmation_code` with which the customer's browser came to `return_url`. Take the email from
        the session of that very request: then nobody can have their link finished by somebody else.
        """
        return Connection(
            self._native.confirm_connection(email, id, code, timeout, deadline, max_retries).run(wanted())
        )

    def wait_for_connection(
        self,
        email: str,
        id: str,
        *,
        interval: float | None = None,
        timeout: float | None = None,
        on_poll: Callable[[Poll], object] | None = None,
    ) -> Connection:
        """Wait until the connection is no longer pending, and give it. Needs the capability `connections`.

        `interval` is the time between two polls (2 s unless told). Without `timeout` the wait ends when the link
        lapses. Raises `WaitTimeoutError`, with the `connection` if a poll saw it, when it is over.

        `on_poll` is called after each poll that did not end the wait. Where it raises, the wait ends with that.
        """
        return Connection(
            self._native.wait_for_connection(email, id, interval, timeout, on_poll is not None).run(
                wanted(), listener(on_poll)
            )
        )

    def get_token(
        self,
        email: str,
        id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> Token:
        """Give a credential that works now. Needs the capability `token`. Ask each time; never store or log it.

        Raises `NeedsReconnectionError` where the grant was revoked or has expired: send the customer through the
        connect flow again.
        """
        token: Token = self._native.get_token(email, id, timeout, deadline, max_retries).run(wanted())
        return token

    def list_connections(
        self,
        email: str,
        *,
        app_id: str | None = None,
        page: int | None = None,
        limit: int | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> ConnectionPage:
        """Give one page of the customer's connections that this tenant made; iterate over it for all that follow too.

        Needs the capability `connections`. `page` counts from 1; `limit` is 1 to 100 (20 unless told).
        """
        return ConnectionPage(
            *self._native.list_connections(email, app_id, page, limit, timeout, deadline, max_retries).run(wanted())
        )

    def delete_connection(
        self,
        email: str,
        id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> None:
        """Delete a connection and its credential. Needs the capability `delete`.

        Raises `ConnectionInUseError` while something uses it.
        """
        self._native.delete_connection(email, id, timeout, deadline, max_retries).run(wanted())

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
        self.close()


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
        name: str,
        app_id: str | None = None,
        connection_id: str | None = None,
        auth_option_key: str | None = None,
        allowed_apps: Iterable[str] | None = None,
        return_url: str | None = None,
        allowed_origin: str | None = None,
        display_name: str | None = None,
        expires_in: int | None = None,
        allow_multiple_connections: bool | None = None,
        scopes: Iterable[str] | None = None,
        confirm: bool | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> RequestLink:
        """See `PabblyConnectPlatform.create_request_link`."""
        return self._client.create_request_link(
            self._email,
            name=name,
            app_id=app_id,
            connection_id=connection_id,
            auth_option_key=auth_option_key,
            allowed_apps=allowed_apps,
            return_url=return_url,
            allowed_origin=allowed_origin,
            display_name=display_name,
            expires_in=expires_in,
            allow_multiple_connections=allow_multiple_connections,
            scopes=scopes,
            confirm=confirm,
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
        return self._client.get_connection(self._email, id, timeout=timeout, deadline=deadline, max_retries=max_retries)

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
            self._email, id, code, timeout=timeout, deadline=deadline, max_retries=max_retries
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
        return self._client.wait_for_connection(self._email, id, interval=interval, timeout=timeout, on_poll=on_poll)

    def get_token(
        self,
        id: str,
        *,
        timeout: float | None = None,
        deadline: float | None = None,
        max_retries: int | None = None,
    ) -> Token:
        """See `PabblyConnectPlatform.get_token`."""
        return self._client.get_token(self._email, id, timeout=timeout, deadline=deadline, max_retries=max_retries)

    def list_connections(
        self,
        *,
        app_id: str | None = None,
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
            page=page,
            limit=limit,
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
        self._client.delete_connection(self._email, id, timeout=timeout, deadline=deadline, max_retries=max_retries)

    def __repr__(self) -> str:
        """Show whom it acts for."""
        return f"Customer({self._email!r})"
