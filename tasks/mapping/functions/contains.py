"""contains(value, part): whether a text holds another, or a list holds a value; false for null."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.operators import equal
from astrio.tasks.mapping.values import mismatch, text

EXAMPLES = [
    ("contains('abc', 'bc')", True),
    ("contains(['a', 'b'], 'c')", False),
    ("contains([1], true)", False),
    ("contains(null, 'a')", False),
]
REJECTS = ["contains(1, 'a')", "contains('abc', 1)"]


def call(value: Any, part: Any) -> bool:
    """Look inside."""
    if value is None:
        return False
    if isinstance(value, list):
        return any(equal(element, part) for element in value)
    if not isinstance(value, str):
        mismatch("contains()", "text or a list", value)
    return part is not None and text("contains()", part) in value
