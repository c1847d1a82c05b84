"""type number: a number with or without a fraction, or a decimal; neither infinite nor NaN."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from astrio.tasks.mapping.values import kind
from astrio.tasks.rules.base import TypeRule


class Number(TypeRule):
    """`type: number`."""

    name = "number"

    def reason(self, value: Any) -> str | None:
        """Refuse what is no number."""
        if value.__class__ is int:
            return None
        if not isinstance(value, float | Decimal):
            return f"is {kind(value)}, not a number"
        return None if math.isfinite(value) else "is no finite number"
