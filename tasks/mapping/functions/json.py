"""json(text): the value that a JSON text holds; a list or an object is one already."""

from __future__ import annotations

from typing import Any

import msgspec

from astrio.tasks.mapping.values import reject, text

EXAMPLES = [
    ("""json('{"a": [1, 2.5]}').a[0]""", 1),
    ("json('null')", None),
    ("json([1])", [1]),
    ("json(null)", None),
]
REJECTS = ["json('{')", "json('')", "json(1)", "json('NaN')"]


def call(value: Any) -> Any:
    """Decode JSON."""
    if value is None or isinstance(value, list | dict):
        return value
    try:
        return msgspec.json.decode(text("json()", value))
    except (ValueError, RecursionError):
        reject("json(): the text is not JSON")
