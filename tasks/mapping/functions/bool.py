"""bool(value): true or false, from 1 and 0 or a text: true, yes, on, y, t, 1 and their opposites.

Capital letters do not matter. Any other text is refused.
"""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import mismatch, reject

EXAMPLES = [
    ("bool('Yes')", True),
    ("bool('0')", False),
    ("bool(1)", True),
    ("bool(null)", None),
]
REJECTS = ["bool('maybe')", "bool('')", "bool(2)", "bool([])"]
_WORDS = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
}


def call(value: Any) -> bool | None:
    """Cast to a boolean."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    if not isinstance(value, str):
        mismatch("bool()", "1, 0 or text", value)
    found = _WORDS.get(value.strip().lower())
    if found is None:
        reject("bool(): the text means neither true nor false")
    return found
