"""What went wrong on the wire, in plain words, and whether the request can have arrived."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import aiohttp
import httpx

from astrio.blocks.errors import (
    ApiAnswerError,
    ApiUnavailableError,
    AstrioError,
    OutcomeUnknownError,
)
from astrio.blocks.redaction import redact
from astrio.tasks.http.body import BrokenBodyError
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.http.retry import AttemptFailedError

WIRE_ERRORS = (httpx.HTTPError, aiohttp.ClientError, OSError, BrokenBodyError)


@dataclass(frozen=True, slots=True)
class _Fault:
    what: str
    advice: str
    arrived: bool = True
    passes: bool = True


_UNTRUSTED = _Fault(
    "The API's TLS certificate cannot be trusted, or TLS failed",
    "Check the host name in base_url; for an own authority, set tls.ca or SSL_CERT_FILE; where a "
    "client certificate is asked for, set tls.certificate.",
    arrived=False,
    passes=False,
)
_UNKNOWN_HOST = _Fault(
    "The API's host name is unknown",
    "Check base_url and the network's name server.",
    arrived=False,
)
_TOO_SLOW = _Fault(
    "The API cannot be reached in time",
    "Check the network, or raise timeout.connect or timeout.pool.",
    arrived=False,
)
_PROXY_AWAY = _Fault(
    "The proxy cannot be reached",
    "Check the connection's proxy, and whether it is up.",
    arrived=False,
)
_PROXY_REFUSES = _Fault(
    "The proxy refuses the connection to the API",
    "Check user and password in the connection's proxy, and what the proxy allows.",
    arrived=False,
    passes=False,
)


_AIOHTTP: tuple[tuple[type[BaseException], _Fault], ...] = (
    (aiohttp.ClientSSLError, _UNTRUSTED),
    (ssl.SSLError, _UNTRUSTED),
    (aiohttp.ClientHttpProxyError, _PROXY_REFUSES),
    (aiohttp.ClientProxyConnectionError, _PROXY_AWAY),
    (aiohttp.ClientConnectorDNSError, _UNKNOWN_HOST),
    (aiohttp.ConnectionTimeoutError, _TOO_SLOW),
)
_HTTP2: tuple[tuple[type[BaseException], _Fault], ...] = (
    (httpx.ProxyError, _PROXY_REFUSES),
    (ssl.SSLError, _UNTRUSTED),
    (socket.gaierror, _UNKNOWN_HOST),
    (httpx.ConnectTimeout, _TOO_SLOW),
    (httpx.PoolTimeout, _TOO_SLOW),
)


def wire_failure(error: Exception, request: ApiRequest, label: str) -> AttemptFailedError:
    """Turn a transport's exception into a failed attempt.

    A request that must not be sent twice is repeated only if it surely did not arrive; if it may
    have, the error says that its outcome is unknown.
    """
    fault = _fault(error)
    unknown = fault.arrived and not request.repeatable
    message = f"{fault.what}."
    if unknown:
        message += f" Whether the API carried out the {request.method} is unknown."
    passing = OutcomeUnknownError if unknown else ApiUnavailableError
    kind: type[AstrioError] = passing if fault.passes else ApiAnswerError
    told = kind(message, advice=fault.advice, request=label)
    return AttemptFailedError(told, repeat=fault.passes and not unknown)


def describe_fault(error: Exception) -> tuple[str, bool]:
    """Return what went wrong, as a phrase, and whether the request may have arrived."""
    fault = _fault(error)
    return fault.what, fault.arrived


def _fault(error: Exception) -> _Fault:
    # httpx-aiohttp maps a lost connection to ConnectTimeout, so only the cause can be trusted.
    cause = error.__cause__ if isinstance(error, httpx.HTTPError) else error
    if type(cause).__module__.startswith("httpcore"):
        return _of_http2(error)
    return _before_sending(cause or error) or _after_sending(cause or error)


def _of_http2(error: BaseException) -> _Fault:
    """Tell httpx's own errors apart, which its HTTP/2 transport raises from httpcore's."""
    causes = list(_causes(error))
    for kind, fault in _HTTP2:
        if any(isinstance(each, kind) for each in causes):
            return fault
    if isinstance(error, httpx.ConnectError):
        reasons = [each.strerror for each in causes if isinstance(each, OSError)]
        return _unreachable(next(filter(None, reasons), None))
    return _after_sending(
        TimeoutError() if isinstance(error, httpx.TimeoutException) else OSError()
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _before_sending(cause: BaseException) -> _Fault | None:
    for kind, fault in _AIOHTTP:
        if isinstance(cause, kind):
            return fault
    if isinstance(cause, aiohttp.ClientConnectorError):
        return _unreachable(cause.strerror)
    return None


def _unreachable(reason: str | None) -> _Fault:
    return _Fault(
        f"The API cannot be reached ({redact(reason or 'no connection')})",
        "Check base_url, the network, and whether the service is up.",
        arrived=False,
    )


def _after_sending(cause: BaseException) -> _Fault:
    if isinstance(cause, httpx.RemoteProtocolError):  # httpx looks at redirects by itself
        return _Fault(
            "The API's redirect cannot be followed: it is no URL",
            "Put the final address into base_url and path.",
            passes=False,
        )
    if isinstance(cause, asyncio.TimeoutError | httpx.TimeoutException):
        return _Fault("The API did not answer in time", "Raise timeout.read if it is just slow.")
    if isinstance(cause, aiohttp.ClientPayloadError | BrokenBodyError):
        return _Fault("The API's answer broke off", "Run again; the fault is the API's.")
    if isinstance(cause, aiohttp.ClientConnectionError | OSError):
        return _Fault("The API closed the connection without an answer", "Run again later.")
    return _Fault(
        f"The API's answer is no HTTP ({type(cause).__name__})",
        "Check base_url: another kind of service listens there.",
        passes=False,
    )
