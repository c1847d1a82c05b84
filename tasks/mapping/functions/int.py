"""int(value): a whole number, of any length, from its digits; a fraction is refused, not rounded.

`int(12.0)` is 12, `int(true)` is 1.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

from astrio.tasks.mapping.values import LONGEST_NUMBER, mismatch, reject

EXAMPLES = [
    ("int('12')", 12),
    ("int(' -7 ')", -7),
    ("int(12.0)", 12),
    ("int('123456789012345678901234567890')", 123456789012345678901234567890),
    ("int(true)", 1),
    ("int(null)", None),
]
REJECTS = ["int('abc')", "int('')", "int('1.5')", "int('1_000')", "int(1.5)", "int([])"]
_DIGITS = re.compile(r"[+-]?[0-9]+")


def call(value: Any) -> int | None:
    """Cast to a whole number."""
    if value is None:
        return None
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float | Decimal):
        if math.isfinite(value) and value == math.floor(value):
            return int(value)
        reject("int(): the number has a fraction; use round()")
    if not isinstance(value, str):
        mismatch("int()", "a number or text", value)
    digits = value.strip()
    if not _DIGITS.fullmatch(digits):
        reject("int(): the text is not a whole number")
    if len(digits) > LONGEST_NUMBER:
        reject(f"int(): the text has more than {LONGEST_NUMBER:,} digits")
    return int(digits)
