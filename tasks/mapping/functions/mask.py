"""mask(text, shown): every character but the last ones replaced by *; 4 are shown, or as said.

A text that is not at least twice as long is masked wholly.
"""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import reject, text, whole

EXAMPLES = [
    ("mask('4111111111111111')", "************1111"),
    ("mask('1234')", "****"),
    ("mask('secret', 0)", "******"),
    ("mask(null)", None),
]
REJECTS = ["mask(4111)", "mask('abc', -1)"]


def call(value: Any, shown: Any = 4) -> str | None:
    """Mask."""
    if value is None:
        return None
    given, last = text("mask()", value), whole("mask()", shown)
    if last < 0:
        reject("mask() cannot show fewer than no characters")
    hidden = len(given) - last if len(given) >= 2 * last else len(given)
    return "*" * hidden + given[hidden:]
