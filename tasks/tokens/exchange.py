"""Talking to a token endpoint: one request, no redirect, no retry, and what became of it."""

from __future__ import annotations

import asyncio
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final

import httpx
import msgspec

from astrio.blocks.api import RestApi
from astrio.blocks.auth.none import NoAuth
from astrio.blocks.errors import ApiUnavailableError, AstrioError
from astrio.blocks.tokens import TokenAnswer, TokenRequest
from astrio.tasks.http.body import read_body
from astrio.tasks.http.faults import WIRE_ERRORS, describe_fault
from astrio.tasks.http.session import open_session

LONGEST: Final = 60.0  # seconds that an exchange may take in all; shorter than the store's term
_MOST_BYTES = 1024 * 1024
_BUSY = (408, 425, 429)


class NotSentError(ApiUnavailableError):
    """The token endpoint was not reached, or did not act on the request."""


class AnswerLostError(ApiUnavailableError):
    """The request was sent, and what became of it is not known."""


async def exchange(api: RestApi, request: TokenRequest) -> TokenAnswer:
    """Send a token request on the connection's own transport, and return the answer.

    Args:
        api: the connection whose TLS, proxy and time limits apply; its credentials are not sent.
        request: what to send.

    Raises:
        NotSentError: it can be sent again: no connection, 429 or a server error (5xx).
        AnswerLostError: the connection broke, or no answer came in time.
        ApiAnswerError: the answer is too large.
    """
    url = httpx.URL(request.url)
    here = str(url.copy_with(path="/", query=None, fragment=None)).rstrip("/")
    plain = api.model_copy(update={"base_url": here, "auth": NoAuth(), "headers": {}})
    async with open_session(plain) as session:
        try:
            async with asyncio.timeout(LONGEST):
                answer = await _sent(session, request)
        except WIRE_ERRORS as error:
            raise _fault(error) from None
    if answer.status >= 500 or answer.status in _BUSY:
        raise NotSentError(
            f"The token endpoint answered {answer.status}.", advice="Run again later."
        )
    return answer


async def _sent(session: httpx.AsyncClient, request: TokenRequest) -> TokenAnswer:
    prepared = session.build_request(
        request.method,
        request.url,
        data=None if request.form is None else dict(request.form),
        json=request.json,
        headers={"Accept": "application/json", **request.headers},
    )
    response = await session.send(prepared, stream=True)
    try:
        content = await read_body(response, _MOST_BYTES)
    finally:
        await response.aclose()
    headers = {name.lower(): value for name, value in response.headers.items()}
    return TokenAnswer(response.status_code, _decoded(content), headers, _cookies(response))


def _fault(error: Exception) -> AstrioError:
    what, arrived = describe_fault(error)
    kind = AnswerLostError if arrived else NotSentError
    told = what.replace("The API's", "The token endpoint's").replace(
        "The API", "The token endpoint"
    )
    return kind(f"{told}.", advice="Check token_url and the network; run again later.")


def _decoded(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _cookies(response: httpx.Response) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in response.headers.get_list("set-cookie"):
        try:
            found |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        except CookieError:
            continue  # a cookie that nobody could send back
    return found
