"""Transports for httpx, whose requests then go through the platform: for libraries that take an httpx client.

    import httpx
    from pabbly_connect.httpx import ProxyTransport

    base_url = "https://api.hubapi.com"  # the connection's `api_base_url`
    transport = ProxyTransport(pc.customer("alice@example.com"), connection_id, base_url=base_url)
    contacts = httpx.Client(transport=transport, base_url=base_url).get("/crm/v3/objects/contacts")

The platform adds the credential; an `Authorization` or `Cookie` of the library's is left out. What the platform itself
answers raises a `PabblyConnectError`. A redirect is given back as it came. Needs the extra `httpx`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx

from ._native import library_request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._async import AsyncCustomer
    from ._client import Customer
    from ._proxy import AsyncProxyResponse, ProxyResponse


class ProxyTransport(httpx.BaseTransport):
    """A transport for `httpx.Client`."""

    def __init__(self, customer: Customer, id: str, *, base_url: str, timeout: float | None = None) -> None:
        """Take the connection, and its `api_base_url`, below which the library's URLs must lie.

        - `timeout`: As that of `proxy`. Default: httpx's `read` timeout; where the body is a stream, the client's.
        """
        self._customer, self._id, self._base_url, self._timeout = customer, id, base_url, timeout

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; httpx does."""
        call = _call(request, self._base_url, self._timeout)
        response = self._customer.proxy(self._id, **call)
        return _response(response, _Stream(response))


class AsyncProxyTransport(httpx.AsyncBaseTransport):
    """A transport for `httpx.AsyncClient`."""

    def __init__(self, customer: AsyncCustomer, id: str, *, base_url: str, timeout: float | None = None) -> None:
        """Take the connection, and its `api_base_url`, below which the library's URLs must lie.

        - `timeout`: As that of `proxy`. Default: httpx's `read` timeout; where the body is a stream, the client's.
        """
        self._customer, self._id, self._base_url, self._timeout = customer, id, base_url, timeout

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; httpx does."""
        call = _call(request, self._base_url, self._timeout)
        response = await self._customer.proxy(self._id, **call)
        return _response(response, _AsyncStream(response))


def _call(request: httpx.Request, base_url: str, timeout: float | None) -> dict[str, Any]:
    url = str(request.url.copy_with(fragment=None))
    path, headers = library_request(base_url, url, request.headers.multi_items())
    body: Any = request.stream
    try:
        # What is there whole can be sent again.
        body = request.content or None
        timeout = timeout or request.extensions.get("timeout", {}).get("read")
    except httpx.RequestNotRead:
        pass
    return {"method": request.method, "path": path, "headers": headers, "body": body, "timeout": timeout}


def _response(response: ProxyResponse | AsyncProxyResponse, stream: Any) -> httpx.Response:  # noqa: ANN401
    return httpx.Response(response.status, headers=response.headers, stream=stream)


class _Stream(httpx.SyncByteStream):
    def __init__(self, response: ProxyResponse) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return self._response.iter_bytes()

    def close(self) -> None:
        self._response.close()


class _AsyncStream(httpx.AsyncByteStream):
    def __init__(self, response: AsyncProxyResponse) -> None:
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._response.aiter_bytes()

    async def aclose(self) -> None:
        await self._response.aclose()
