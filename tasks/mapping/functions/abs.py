"""abs(number): the number without its sign."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from astrio.tasks.mapping.values import number

EXAMPLES = [("abs(-3)", 3), ("abs(2.5)", 2.5), ("abs(null)", None)]
REJECTS = ["abs('-3')", "abs(true)"]


def call(value: Any) -> int | float | Decimal | None:
    """Take the sign away."""
    if value is None:
        return None
    given = number("abs()", value)
    return -given if given < 0 else given
