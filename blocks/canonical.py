"""The text that a request is signed over: `{{name}}` filled in from the request."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

if TYPE_CHECKING:
    import httpx

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_HEADER = "header."


def _digest(name: str, encode: Callable[[bytes], str]) -> Callable[[httpx.Request], bytes]:
    return lambda request: encode(hashlib.new(name, request.content).digest()).encode()


def _hex(data: bytes) -> str:
    return data.hex()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _sorted_query(request: httpx.Request) -> bytes:
    pairs = parse_qsl(request.url.query.decode(), keep_blank_values=True)
    encoded = sorted((quote(name, safe=""), quote(value, safe="")) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded).encode()


# What the request itself gives. Path and query stand as they are sent, percent-encoded.
FROM_REQUEST: Mapping[str, Callable[[httpx.Request], bytes]] = {
    "method": lambda request: request.method.encode(),
    "method_lower": lambda request: request.method.lower().encode(),
    "url": lambda request: str(request.url).encode(),
    "host": lambda request: request.headers.get("host", "").lower().encode(),
    "target": lambda request: request.url.raw_path,
    "path": lambda request: request.url.raw_path.partition(b"?")[0],
    "query": lambda request: request.url.query,
    "sorted_query": _sorted_query,
    "body": lambda request: request.content,
} | {
    f"body_{name}{suffix}": _digest(name, encode)
    for name in ("md5", "sha1", "sha256", "sha512")
    for suffix, encode in (("", _hex), ("_base64", _base64))
}


def placeholders(template: str) -> list[str]:
    """Return the names in a template, in order."""
    return [match[1] for match in _PLACEHOLDER.finditer(template)]


def check_template(template: str, also: Iterable[str]) -> str:
    """Return a template that names only what there is.

    Raises:
        ValueError: it names something else.
    """
    known = {*FROM_REQUEST, *also}
    for name in placeholders(template):
        if name not in known and not (name.startswith(_HEADER) and len(name) > len(_HEADER)):
            raise ValueError(
                f"{{{{{name}}}}} is unknown; there are {', '.join(sorted(known))} and header.NAME"
            )
    return template


def filled(template: str, request: httpx.Request, values: Mapping[str, str]) -> bytes:
    """Return the template as bytes; the body goes in as it is, whatever its encoding."""
    parts = _PLACEHOLDER.split(template)
    return b"".join(
        _value(part, request, values) if number % 2 else part.encode()
        for number, part in enumerate(parts)
    )


def _value(name: str, request: httpx.Request, values: Mapping[str, str]) -> bytes:
    if name.startswith(_HEADER):
        return str(request.headers.get(name.removeprefix(_HEADER), "")).encode()
    return FROM_REQUEST[name](request) if name in FROM_REQUEST else values[name].encode()
