"""floor(number): rounded down to a whole number."""

from __future__ import annotations

import math
from typing import Any

from astrio.tasks.mapping.values import finite, number

EXAMPLES = [
    ("floor(2.5)", 2),
    ("floor(-2.5)", -3),
    ("floor(decimal('2.0'))", 2),
    ("floor(7)", 7),
    ("floor(null)", None),
]
REJECTS = ["floor('2.5')", "floor(true)"]


def call(value: Any) -> int | None:
    """Round down."""
    if value is None:
        return None
    given = number("floor()", value)
    return math.floor(finite("floor()", given) if isinstance(given, float) else given)
