"""The id of a delivery, where a source says that it is elsewhere than its scheme knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

_HEADER = "header:"


def delivery_id(place: str, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> str | None:
    """Return the id, None if there is none at that place.

    Args:
        place: `header:X-Id`, a dotted path within a JSON body, or nothing.
        headers: names in lower case.
        body: read as JSON only if the place is a path.
    """
    if not place:
        return None
    if place.startswith(_HEADER):
        name = place.removeprefix(_HEADER).lower().encode()
        found = [value for key, value in headers if key == name]
        return found[0].decode("latin-1") if len(found) == 1 and found[0] else None
    try:
        value: Any = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None
    for step in place.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    # An int and a text that look alike are the same id to the vendor.
    return str(value) if isinstance(value, str | int) and value != "" else None
