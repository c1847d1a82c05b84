"""The connection pool behind the client: httpx's interface on aiohttp's transport."""

from __future__ import annotations

import logging
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any
from urllib.parse import quote

import aiohttp
import httpx

from astrio.blocks.api import RestApi, check_proxy
from astrio.blocks.errors import ConfigurationError
from astrio.blocks.literals import remember_password
from astrio.blocks.redaction import redact
from astrio.blocks.secrets import REFERENCE, resolve
from astrio.tasks.http.addresses import AddressGuard, GuardedResolver, Lookup
from astrio.tasks.http.body import ACCEPTED
from astrio.tasks.http.encoding import header_values
from astrio.tasks.http.origins import Origins
from astrio.tasks.http.tls import tls_context
from astrio.tasks.http.transport import AiohttpTransport, Http2Transport, url_endpoint
from astrio.tasks.tuning import READ_BUFFER

_LONGEST_HEADER = 64 * 1024


def open_session(api: RestApi, lookup: Lookup | None = None) -> httpx.AsyncClient:
    """Return a client that signs each request and follows nothing by itself.

    Requests reach public addresses, the connection's own host, and those of
    `allow_private_hosts`. Proxies and .netrc of the environment are left out; SSL_CERT_FILE is
    honoured, so that an in-house authority can be trusted.

    Args:
        api: the connection.
        lookup: resolves names; the operating system if not given.

    Raises:
        ConfigurationError: a variable is not set, a header cannot be sent, a certificate cannot be
            used, or a package for HTTP/2 is missing.
    """
    return _Session(
        transport=_transport(api, lookup),
        auth=api.auth.to_httpx_auth(),
        headers=default_headers(api),
        timeout=_timeout(api),
        trust_env=False,
        follow_redirects=False,
    )


def _transport(api: RestApi, lookup: Lookup | None) -> httpx.AsyncBaseTransport:
    context = tls_context(api)
    guard = AddressGuard(Origins(api).endpoints(), lookup)
    proxy = proxy_of(api)
    if api.http2:
        _require_http2()
        return Http2Transport(context, guard, api.limits.concurrency, proxy)
    # Behind a proxy, the only name that is resolved for a connection is the proxy's.
    resolver = GuardedResolver(AddressGuard([url_endpoint(proxy.url)]) if proxy else guard)

    def connect() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=api.limits.concurrency, ssl=context, resolver=resolver
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Content-Type", "Accept-Encoding", "User-Agent"),
            read_bufsize=READ_BUFFER,
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
        )

    return AiohttpTransport(connect, guard, proxy)


def proxy_of(api: RestApi) -> httpx.Proxy | None:
    """Return the connection's proxy, its references filled in; None: there is none.

    Raises:
        ConfigurationError: a variable is not set, or the result is no proxy's URL.
    """
    if not api.proxy:
        return None
    resolve(api.proxy)  # refuses a masked password
    user, at, rest = api.proxy.rpartition("@")
    user = REFERENCE.sub(lambda found: quote(resolve(found.group()), safe=""), user)
    url = f"{user}{at}{resolve(rest)}"
    remember_password(url)
    try:
        check_proxy(url)
    except ValueError as error:
        raise ConfigurationError(f"The connection's proxy cannot be used: {error}.") from None
    return httpx.Proxy(url)


def _require_http2() -> None:
    if find_spec("h2") is None:
        raise ConfigurationError(
            "HTTP/2 needs a package that is not installed.",
            advice="Install it: pip install 'astrio[http2]'. Or leave http2 out.",
        )


def default_headers(api: RestApi) -> dict[str, str]:
    """Return the headers of each request; the connection's own win.

    Raises:
        ConfigurationError: a variable is not set, or a header cannot be sent.
    """
    headers = httpx.Headers(
        {
            "User-Agent": f"Astrio-Integration/{_version()}",
            "Accept": "application/json",
            "Accept-Encoding": ACCEPTED,
        }
    )
    headers.update(header_values(api.headers))
    return dict(headers)


def _timeout(api: RestApi) -> httpx.Timeout:
    if isinstance(api.timeout, int | float):
        return httpx.Timeout(api.timeout)
    return httpx.Timeout(**api.timeout.model_dump(exclude={"run"}))


@cache
def _version() -> str:
    try:
        return version("astrio")
    except PackageNotFoundError:  # pragma: no cover (a checkout that is not installed)
        return "0"


class _Cookies(httpx.Cookies):
    """Cookies that look at an answer only if it sets any: it costs as much as decoding ten rows."""

    def extract_cookies(self, response: httpx.Response) -> None:
        if "set-cookie" in response.headers:
            super().extract_cookies(response)


class _Session(httpx.AsyncClient):
    """httpx's client with these cookies."""

    _kept: httpx.Cookies | None = None

    @property
    def cookies(self) -> httpx.Cookies:
        if self._kept is None:
            self._kept = _Cookies()
        return self._kept

    @cookies.setter
    def cookies(self, cookies: Any) -> None:
        self._kept = _Cookies(cookies)


class _Redacted(logging.Filter):
    """Masks secrets in what HTTP libraries log: an API key may stand in the URL."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        return True


for _name in ("httpx", "aiohttp.client"):
    logging.getLogger(_name).addFilter(_Redacted())
