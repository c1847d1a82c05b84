"""round(number, digits): rounded, halves away from zero; without `digits` to a whole number.

A float is rounded as it shows: `round(2.675, 2)` is 2.68.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from astrio.tasks.mapping.values import finite, number, reject, whole

EXAMPLES = [
    ("round(2.5)", 3),
    ("round(-2.5)", -3),
    ("round(2.675, 2)", 2.68),
    ("round(decimal('2.675'), 2)", Decimal("2.68")),
    ("round(17, 2)", 17),
    ("round(null)", None),
]
REJECTS = ["round('2.5')", "round(2.5, -1)", "round(true)"]
_MOST_DIGITS = 100
_CONTEXT = Context(prec=10_000, rounding=ROUND_HALF_UP)


def call(value: Any, digits: Any = 0) -> int | float | Decimal | None:
    """Round."""
    if value is None:
        return None
    given = number("round()", value)
    places = whole("round()", digits)
    if not 0 <= places <= _MOST_DIGITS:
        reject(f"round() needs 0 to {_MOST_DIGITS} digits")
    if isinstance(given, int):
        return given
    shown = Decimal(repr(finite("round()", given))) if isinstance(given, float) else given
    rounded = shown.quantize(Decimal(1).scaleb(-places), context=_CONTEXT)
    if places == 0:
        return int(rounded)
    return float(rounded) if isinstance(given, float) else rounded
