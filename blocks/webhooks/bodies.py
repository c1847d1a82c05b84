"""What a scheme reads from a body once it is verified: an id, a kind of message."""

from __future__ import annotations

from typing import Any

import msgspec

_IDS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def fields(body: bytes, *names: str) -> dict[str, Any]:
    """Return those of the named fields that a JSON object has; none of any other body."""
    try:
        found = _IDS.decode(body)
        return {name: msgspec.json.decode(found[name]) for name in names if name in found}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}


def text_field(body: bytes, name: str) -> str | None:
    """Return a field's text if it may serve as an id: visible ASCII, 256 characters at most."""
    found = fields(body, name).get(name)
    if not isinstance(found, str) or not 0 < len(found) <= 256:
        return None
    return found if found.isascii() and found.isprintable() and " " not in found else None
