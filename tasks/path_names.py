"""Quoted names within paths."""

from __future__ import annotations

import json
import re

_ESCAPE = re.compile(r"""\\.|\"""", re.DOTALL)


def unescaped(name: str) -> str:
    """Return a quoted name with its escapes decoded, as JSON and RFC 9535 write them.

    Raises:
        ValueError: an escape means nothing.
    """
    try:
        decoded = str(json.loads(f'"{_ESCAPE.sub(_as_in_json, name)}"', strict=False))
        decoded.encode()
    except ValueError:
        raise ValueError("unknown escape, or half of a surrogate pair") from None
    return decoded


def _as_in_json(match: re.Match[str]) -> str:
    return {"\\'": "'", '"': '\\"'}.get(match.group(), match.group())
