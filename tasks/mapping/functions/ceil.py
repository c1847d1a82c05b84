"""ceil(number): rounded up to a whole number."""

from __future__ import annotations

import math
from typing import Any

from astrio.tasks.mapping.values import finite, number

EXAMPLES = [
    ("ceil(2.5)", 3),
    ("ceil(-2.5)", -2),
    ("ceil(decimal('2.0'))", 2),
    ("ceil(7)", 7),
    ("ceil(null)", None),
]
REJECTS = ["ceil('2.5')", "ceil(true)"]


def call(value: Any) -> int | None:
    """Round up."""
    if value is None:
        return None
    given = number("ceil()", value)
    return math.ceil(finite("ceil()", given) if isinstance(given, float) else given)
