"""split(text, separator): the list of parts between the separators."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import reject, text

EXAMPLES = [
    ("split('a,b,,c', ',')", ["a", "b", "", "c"]),
    ("split('Ada Lovelace', ' ')[-1]", "Lovelace"),
    ("split(null, ',')", None),
]
REJECTS = ["split('abc', '')", "split(1, ',')", "split('a', null)"]


def call(value: Any, separator: Any) -> list[str] | None:
    """Split."""
    if value is None:
        return None
    sign = text("split()", separator)
    if not sign:
        reject("split() needs a separator that is not empty")
    return text("split()", value).split(sign)
