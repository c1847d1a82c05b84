"""Authentications that look into the body, or that are challenged; imported when sending."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Sequence
from urllib.parse import quote, unquote_plus

import httpx
import msgspec

from astrio.blocks.errors import ApiAnswerError, ConfigurationError

_FORM = "application/x-www-form-urlencoded"
_BODYLESS = ("GET", "HEAD", "OPTIONS")


class SetBodyField(httpx.Auth):
    """Sets a field of a JSON or form body, replacing one of the same name.

    Every other value keeps its very spelling.
    """

    requires_request_body = True

    def __init__(self, path: str, value: str) -> None:
        """Take the field, in JSON a dotted path, and its value with its secret resolved."""
        self._path = path
        self._value = value

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign the request.

        Raises:
            ConfigurationError: the request has no body that could carry the field.
        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        content = request.content
        if not kind and not content and request.method not in _BODYLESS:
            kind = "application/json"
        if kind == _FORM:
            yield with_content(request, self._in_form(content), kind)
        elif kind == "application/json" or kind.endswith("+json"):
            yield with_content(
                request, self._in_json(content or b"{}", self._path.split(".")), kind
            )
        else:
            raise self._no_place("it has neither a JSON nor a form body")

    def _in_form(self, content: bytes) -> bytes:
        parts = content.decode("ascii").split("&")
        kept = [part for part in parts if part and _name(part) != self._path]
        name, value = quote(self._path, safe=""), quote(self._value, safe="")
        return "&".join([*kept, f"{name}={value}"]).encode()

    def _in_json(self, content: bytes, steps: Sequence[str]) -> bytes:
        try:
            fields = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        except msgspec.MsgspecError:
            raise self._no_place("its JSON body holds no object there") from None
        first, *below = steps
        inner = bytes(fields.get(first, msgspec.Raw(b"{}")))
        value = self._in_json(inner, below) if below else msgspec.json.encode(self._value)
        return msgspec.json.encode({**fields, first: msgspec.Raw(value)})

    def _no_place(self, why: str) -> ConfigurationError:
        return ConfigurationError(
            f"The API key cannot be put into the request's body at `{self._path}`: {why}.",
            advice="Give the request a body (JSON) or a form, or send the key in a header.",
        )


class ChallengedDigest(httpx.DigestAuth):
    """httpx's Digest (RFC 7616); the nonce is used again until the server gives another.

    A challenge that cannot be met is told in words, and the body of a refusal is not read.
    """

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign the request, and once more when challenged.

        Raises:
            ApiAnswerError: the challenge is malformed, or asks for what nobody else can do.
        """
        flow = self.auth_flow(request)
        signed = next(flow)
        while True:
            response = yield signed
            try:
                signed = flow.send(response)
            except StopIteration:
                return
            except (httpx.ProtocolError, NotImplementedError, KeyError, ValueError) as error:
                raise ApiAnswerError(
                    "The API's Digest challenge cannot be answered: it is malformed, or asks for "
                    f"an algorithm or protection that is not supported ({type(error).__name__}).",
                    advice="Ask the vendor for MD5, SHA-256 or SHA-512 with qop=auth.",
                ) from None
            await drop_body(response)


async def drop_body(response: httpx.Response) -> None:
    """Close an answer unread, before its request is sent again.

    httpx reads such an answer to its end otherwise, however large it is.
    """
    assert isinstance(response.stream, httpx.AsyncByteStream)
    await response.stream.aclose()
    response.stream = httpx.ByteStream(b"")


def with_content(request: httpx.Request, content: bytes, kind: str) -> httpx.Request:
    """Return a copy of the request with another body, its length told right."""
    headers = request.headers.copy()
    headers.pop("content-length", None)
    headers.setdefault("content-type", kind)
    return httpx.Request(
        request.method,
        request.url,
        headers=headers,
        content=content,
        extensions=request.extensions,
    )


def _name(part: str) -> str:
    return unquote_plus(part.partition("=")[0])
