"""httpx's transports with checked addresses: aiohttp's for HTTP/1.1, httpx's own for HTTP/2."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp.transport import map_aiohttp_exceptions
from yarl import URL

from astrio.blocks.redaction import remember
from astrio.tasks.http.addresses import AddressGuard, Endpoint, endpoint

STANDARD_PORTS = {"http": 80, "https": 443}


class AiohttpTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 through an aiohttp session; the URL goes out as it was signed, spelling and all.

    Args:
        connect: opens the session; its resolver is guarded.
        guard: refuses addresses.
        proxy: the operator's proxy, which the session's resolver must trust.
    """

    def __init__(
        self,
        connect: Callable[[], aiohttp.ClientSession],
        guard: AddressGuard,
        proxy: httpx.Proxy | None = None,
    ) -> None:
        self._connect = connect
        self._guard = guard
        self._session: aiohttp.ClientSession | None = None
        self._proxy = proxy

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; raises httpx's errors, and ApiAnswerError for a private address."""
        await check_target(self._guard, request.url, proxied=self._proxy is not None)
        if self._session is None:
            self._session = self._connect()
        timeout = request.extensions.get("timeout", {})
        for_proxy = _proxy_headers(self._proxy)
        headers = request.headers
        if request.url.scheme == "http" and for_proxy:
            headers = httpx.Headers([*headers.multi_items(), *for_proxy.items()])
        with map_aiohttp_exceptions():
            response = await self._session.request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=headers,
                data=_content(request),
                allow_redirects=False,
                auto_decompress=False,
                compress=False,
                timeout=aiohttp.ClientTimeout(
                    sock_connect=timeout.get("connect"),
                    sock_read=timeout.get("read"),
                    connect=timeout.get("pool"),
                ),
                proxy=str(self._proxy.url) if self._proxy else None,
                proxy_headers=for_proxy if request.url.scheme == "https" else None,
            )
        return httpx.Response(
            response.status,
            headers=response.raw_headers,
            stream=_Body(response),
            request=request,
            extensions={"http_version": b"HTTP/1.1"},
        )

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _proxy_headers(proxy: httpx.Proxy | None) -> dict[str, str]:
    """Return what the proxy alone may see: of a tunnel its opening, else the request itself."""
    if proxy is None or proxy.auth is None:
        return {}
    encoded = b64encode(":".join(proxy.auth).encode()).decode()
    remember(encoded)
    return {"Proxy-Authorization": f"Basic {encoded}"}


def _content(request: httpx.Request) -> Any:
    try:
        return request.content or None
    except httpx.RequestNotRead:
        request.headers.pop("transfer-encoding", None)  # aiohttp sets it
        return request.stream


class _Body(httpx.AsyncByteStream):
    """An answer's body as it arrives: in pieces as large as have come, for each has its price."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with map_aiohttp_exceptions():
            async for chunk in self._response.content.iter_any():
                yield chunk

    async def aclose(self) -> None:
        with map_aiohttp_exceptions():
            await self._response.__aexit__(None, None, None)


class Http2Transport(httpx.AsyncHTTPTransport):
    """HTTP/2 where the server offers it, else HTTP/1.1.

    Args:
        context: for TLS; httpcore sets its ALPN, so it belongs to this transport alone.
        guard: refuses addresses.
        limit: connections open at once.
        proxy: the operator's proxy.
    """

    def __init__(
        self, context: ssl.SSLContext, guard: AddressGuard, limit: int, proxy: httpx.Proxy | None
    ) -> None:
        import httpcore

        limits = httpx.Limits(max_connections=limit, max_keepalive_connections=limit)
        super().__init__(context, trust_env=False, http2=True, limits=limits, proxy=proxy)
        self._guard = guard
        self._proxied = proxy is not None
        if not self._proxied:
            from astrio.tasks.http.network import GuardedNetwork

            # httpx hands no network backend on, so its pool is made here.
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=context,
                max_connections=limit,
                keepalive_expiry=limits.keepalive_expiry,
                http2=True,
                network_backend=GuardedNetwork(guard),
            )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; raises httpx's errors, and ApiAnswerError for a private address."""
        await check_target(self._guard, request.url, proxied=self._proxied)
        return await super().handle_async_request(request)


async def check_target(guard: AddressGuard, url: httpx.URL, *, proxied: bool) -> None:
    """Refuse a URL whose host may not be reached, as far as it can be told before connecting.

    A proxy resolves names itself, so behind one the name is looked up here as well; what only the
    proxy knows is left to it.

    Raises:
        ApiAnswerError: it leads to a private address.
    """
    host, port = url_endpoint(url)
    guard.check(host, port)
    if proxied:
        with suppress(OSError):
            await guard.addresses(host, port)


def url_endpoint(url: httpx.URL) -> Endpoint:
    """Return where a URL's connection goes."""
    return endpoint(url.host, url.port or STANDARD_PORTS[url.scheme])
