"""A source as the product page writes it: `{endpoint, method, headers, validation}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SECRET = "x-webhook-secret"  # noqa: S105 (the name of a header)


def normalised(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a source; what is no snippet is returned as it is.

    `validation: signature` without a scheme compares the header that holds the secret, which is
    what the snippet shows.

    Raises:
        ValueError: the snippet contradicts itself, or does not tell which header is the secret.
    """
    settings = dict(given)
    headers = settings.pop("headers", None)
    validation = settings.pop("validation", None)
    if "endpoint" in settings:
        if "path" in settings:
            raise ValueError("give `path` or `endpoint`, and not both")
        settings["path"] = settings.pop("endpoint")
    if isinstance(settings.get("method"), str):
        settings["method"] = settings["method"].upper()
    if validation not in (None, "signature", "secret"):
        raise ValueError("`validation` is signature (or name a `scheme` instead)")
    if headers is not None:
        if not isinstance(headers, Mapping):
            raise ValueError("`headers` are names and values")
        _read_headers(headers, settings)
    if validation is not None:
        settings.setdefault("scheme", "secret")
    return settings


def _read_headers(headers: Mapping[Any, Any], settings: dict[str, Any]) -> None:
    others = {str(name): value for name, value in headers.items()}
    for name in list(others):
        if name.lower() == "content-type":
            settings.setdefault("content_type", others.pop(name))
    if not others:
        return
    named = [name for name in others if name.lower() == _SECRET] or list(others)
    if len(named) != 1 or len(others) != 1:
        raise ValueError("`headers` hold several that may be the secret; name a `scheme` instead")
    if "secret" in settings:
        raise ValueError("give the secret once: in `secret` or in `headers`")
    settings["secret"] = others[named[0]]
    settings.setdefault("scheme", {"type": "secret", "header": named[0]})
