"""str(value): the text of a value: numbers and `true` as in JSON, lists and objects as JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from astrio.tasks.mapping.values import as_text, reject

EXAMPLES = [
    ("str(17)", "17"),
    ("str(1.50)", "1.5"),
    ("str(true)", "true"),
    ("str([1, 'a', null])", '[1,"a",null]'),
    ("str(null)", None),
]


def call(value: Any) -> str | None:
    """Cast to text."""
    if value is None:
        return None
    if not isinstance(value, list | dict):
        return as_text("str()", value)
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, OverflowError, RecursionError):
        reject("str(): the value cannot be written as JSON")
