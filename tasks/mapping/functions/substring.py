"""substring(text, start, length): part of a text; without `length` all that follows.

`start` counts from 0, or from the end if it is negative. What lies outside the text is left out.
"""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import reject, text, whole

EXAMPLES = [
    ("substring('abcdef', 2)", "cdef"),
    ("substring('abcdef', 2, 3)", "cde"),
    ("substring('abcdef', -2)", "ef"),
    ("substring('abc', 9)", ""),
    ("substring(null, 1)", None),
]
REJECTS = ["substring('abc', 0, -1)", "substring('abc', '1')", "substring(1, 0)"]


def call(value: Any, start: Any, length: Any = None) -> str | None:
    """Take a part."""
    if value is None:
        return None
    rest = text("substring()", value)[whole("substring()", start) :]
    if length is None:
        return rest
    wanted = whole("substring()", length)
    if wanted < 0:
        reject("substring() needs a length that is not negative")
    return rest[:wanted]
