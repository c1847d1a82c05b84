"""What went wrong on the wire, in plain words, and whether the request can have arrived."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

import aiohttp
import httpx

from astrio.blocks.errors import ApiAnswerError, ApiUnavailableError, AstrioError
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
    kind: type[AstrioError] = ApiUnavailableError if fault.passes else ApiAnswerError
    told = kind(message, advice=fault.advice, request=label)
    return AttemptFailedError(told, repeat=fault.passes and not unknown)


def describe_fault(error: Exception) -> tuple[str, bool]:
    """Return what went wrong, as a phrase, and whether the request may have arrived."""
    fault = _fault(error)
    return fault.what, fault.arrived


def _fault(error: Exception) -> _Fault:
    # httpx-aiohttp maps a lost connection to ConnectTimeout, so only the cause can be trusted.
    cause = error.__cause__ if isinstance(error, httpx.HTTPError) else error
    return _before_sending(cause or error) or _after_sending(cause or error)


def _before_sending(cause: BaseException) -> _Fault | None:
    if isinstance(cause, aiohttp.ClientSSLError | ssl.SSLError):
        return _Fault(
            "The API's TLS certificate cannot be trusted, or TLS failed",
            "Check the host name in base_url; for an own authority, set SSL_CERT_FILE.",
            arrived=False,
            passes=False,
        )
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return _Fault(
            "The API's host name is unknown",
            "Check base_url and the network's name server.",
            arrived=False,
        )
    if isinstance(cause, aiohttp.ClientConnectorError):
        reason = cause.strerror or "no connection"
        return _Fault(
            f"The API cannot be reached ({redact(reason)})",
            "Check base_url, the network, and whether the service is up.",
            arrived=False,
        )
    if isinstance(cause, aiohttp.ConnectionTimeoutError):
        return _Fault(
            "The API cannot be reached in time",
            "Check the network, or raise timeout.connect or timeout.pool.",
            arrived=False,
        )
    return None


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
