"""How parameters, headers and bodies are written on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

import httpx
import msgspec

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.secrets import REFERENCE, resolve
from astrio.blocks.signing import replace_query
from astrio.tasks.http.parameters import query_items
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.http.upload import BINARY, Upload, decoded, multipart, stored_file
from astrio.tasks.settings import ArrayStyle

_CONTENT_TYPES = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "text": "text/plain; charset=utf-8",
    "xml": "application/xml",
    "file": BINARY,
    "base64": BINARY,
}


def with_params(
    url: httpx.URL,
    params: Mapping[str, Any],
    arrays: ArrayStyle = "repeat",
    *,
    filled: bool = False,
) -> httpx.URL:
    """Return the URL with the parameters added; they replace those of the same name in it.

    With `filled`, what looks like a reference is data.
    """
    if not params:
        return url
    items = list(query_items(params if filled else resolved(params), arrays))
    return replace_query(url, params.keys() | {name for name, _ in items}, items)


def encode_body(request: ApiRequest) -> tuple[bytes | Upload | None, dict[str, str]]:
    """Return the body with references filled in, and the headers that describe it.

    Raises:
        ConfigurationError: a variable is not set, or the body cannot be made.
    """
    if request.body is None:
        return None, {}
    content, kind = _encoded(request)
    headers = {"Content-Type": request.content_type or kind}
    if isinstance(content, Upload):
        headers["Content-Length"] = str(content.size)  # else it would be sent in chunks
    return content, header_values(headers, filled=request.filled)


def _encoded(request: ApiRequest) -> tuple[bytes | Upload, str]:
    kind = _CONTENT_TYPES.get(request.body_kind, "")
    if request.body_kind == "xml" and not request.filled:
        return _xml(str(request.body)), kind
    body = request.body if request.filled else resolved(request.body)
    if request.body_kind == "json":
        return msgspec.json.encode(body), kind
    if request.body_kind == "form":
        items = list(query_items(body, request.arrays))
        return urlencode(items, quote_via=quote).encode(), kind
    if request.body_kind == "multipart":
        return multipart(body, request.arrays)
    if request.body_kind == "file":
        return Upload([stored_file(str(body))]), kind
    return decoded(str(body)) if request.body_kind == "base64" else str(body).encode(), kind


def _xml(text: str) -> bytes:
    """Fill in references; a secret with < or & in it stays text."""
    return REFERENCE.sub(
        lambda found: escape(resolve(found.group()), {'"': "&quot;", "'": "&apos;"}), text
    ).encode()


def header_values(headers: Mapping[str, str], *, filled: bool = False) -> dict[str, str]:
    """Return headers with references filled in, unless they are `filled`.

    Raises:
        ConfigurationError: a header cannot be sent, e.g. because it holds a line break.
    """
    values = {
        name: str(value) if filled else resolve(str(value)) for name, value in headers.items()
    }
    for name, value in values.items():
        if not (name.isascii() and name.isprintable() and value.isascii() and value.isprintable()):
            raise ConfigurationError(
                f"The header {name!r} holds a line break or a character that no header can carry."
            )
    return values


def resolved(value: Any) -> Any:
    """Return the value with every reference in its texts filled in, at any depth."""
    if isinstance(value, str):
        return resolve(value) if "${" in value else value
    if isinstance(value, Mapping):
        return {name: resolved(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolved(item) for item in value]
    return value
