"""How parameters, headers and bodies are written on the wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import msgspec

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.secrets import resolve
from astrio.blocks.signing import replace_query
from astrio.tasks.http.request import ApiRequest

_CONTENT_TYPES = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "text": "text/plain; charset=utf-8",
}


def query_items(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield names and texts: None is left out, a list repeated, a bool `true` or `false`."""
    for name, value in params.items():
        for item in value if isinstance(value, list | tuple) else (value,):
            if item is not None:
                yield name, _text(item)


def with_params(url: httpx.URL, params: Mapping[str, Any]) -> httpx.URL:
    """Return the URL with the parameters added; they replace those of the same name in it."""
    if not params:
        return url
    return replace_query(url, params.keys(), query_items(resolved(params)))


def encode_body(request: ApiRequest) -> tuple[bytes | None, str]:
    """Return the body's bytes with references filled in, and its content type."""
    if request.body is None:
        return None, ""
    body = resolved(request.body)
    kind = _CONTENT_TYPES[request.body_kind]
    if request.body_kind == "json":
        return msgspec.json.encode(body), kind
    if request.body_kind == "form":
        return urlencode(list(query_items(body)), quote_via=quote).encode(), kind
    return str(body).encode(), kind


def header_values(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers with references filled in.

    Raises:
        ConfigurationError: a header cannot be sent, e.g. because it holds a line break.
    """
    values = {name: resolve(str(value)) for name, value in headers.items()}
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


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date | datetime):
        return value.isoformat()
    return msgspec.json.encode(value).decode() if isinstance(value, dict | list) else str(value)
