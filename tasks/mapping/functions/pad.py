"""pad(text, length, fill, side): the text filled up to so many characters, on the left.

`fill` is one character, a blank if it is left out; `side` is 'left' or 'right'. A longer text
stays as it is.
"""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import bounded, reject, text, whole

EXAMPLES = [
    ("pad('7', 3, '0')", "007"),
    ("pad('ab', 4)", "  ab"),
    ("pad('ab', 4, '.', 'right')", "ab.."),
    ("pad('abcd', 2)", "abcd"),
    ("pad(null, 2)", None),
]
REJECTS = ["pad(7, 3, '0')", "pad('7', 3, '00')", "pad('7', 3, '0', 'top')", "pad('7', 1e3)"]


def call(value: Any, length: Any, fill: Any = " ", side: Any = "left") -> str | None:
    """Fill up."""
    if value is None:
        return None
    size, sign = whole("pad()", length), text("pad()", fill)
    if len(sign) != 1:
        reject("pad() fills with one character")
    if side not in ("left", "right"):
        reject("pad() knows the sides 'left' and 'right'")
    bounded("pad()", size)
    given = text("pad()", value)
    return given.rjust(size, sign) if side == "left" else given.ljust(size, sign)
