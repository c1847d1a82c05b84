"""The connection pool behind the client: httpx's interface on aiohttp's transport."""

from __future__ import annotations

import logging
import ssl
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from astrio.blocks.api import RestApi
from astrio.blocks.redaction import redact
from astrio.tasks.http.body import ACCEPTED
from astrio.tasks.http.encoding import header_values

_LONGEST_HEADER = 64 * 1024
_READ_BUFFER = 256 * 1024


def open_session(api: RestApi) -> httpx.AsyncClient:
    """Return a client that signs each request and follows nothing by itself.

    Proxies and .netrc of the environment are left out; SSL_CERT_FILE is honoured, so that an
    in-house authority can be trusted.

    Raises:
        ConfigurationError: a variable is not set, or a header cannot be sent.
    """
    trusted = _trusted()

    def connect() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=api.limits.concurrency, ssl=trusted),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Content-Type", "Accept-Encoding", "User-Agent"),
            read_bufsize=_READ_BUFFER,
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
        )

    return httpx.AsyncClient(
        transport=AiohttpTransport(verify=trusted, trust_env=False, client=connect),
        auth=api.auth.to_httpx_auth(),
        headers=default_headers(api),
        timeout=_timeout(api),
        trust_env=False,
        follow_redirects=False,
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
    return httpx.Timeout(**api.timeout.model_dump())


@cache
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context()


@cache
def _version() -> str:
    try:
        return version("astrio")
    except PackageNotFoundError:  # pragma: no cover (a checkout that is not installed)
        return "0"


class _Redacted(logging.Filter):
    """Masks secrets in what HTTP libraries log: an API key may stand in the URL."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        return True


for _name in ("httpx", "aiohttp.client"):
    logging.getLogger(_name).addFilter(_Redacted())
