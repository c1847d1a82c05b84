"""sum(number, …): the numbers added up, or a list's; nulls are skipped, nothing is 0."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from astrio.tasks.mapping.operators import add
from astrio.tasks.mapping.ordering import spread
from astrio.tasks.mapping.values import number

EXAMPLES = [
    ("sum([1, 2.5, null])", 3.5),
    ("sum(1, 2)", 3),
    ("sum([decimal('0.1'), decimal('0.2')])", Decimal("0.3")),
    ("sum([])", 0),
    ("sum(null)", 0),
]
REJECTS = ["sum(['1'])", "sum(true)"]


def call(*values: Any) -> int | float | Decimal:
    """Add up."""
    total: int | float | Decimal = 0
    for value in spread(values):
        if value is not None:
            total = add(total, number("sum()", value))
    return total
