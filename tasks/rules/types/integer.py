"""type integer: a whole number of any length; 1.0 is none, and neither is the text "1"."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import kind
from astrio.tasks.rules.base import TypeRule


class Integer(TypeRule):
    """`type: integer`."""

    name = "integer"

    def reason(self, value: Any) -> str | None:
        """Refuse what is no whole number."""
        if value.__class__ is int:
            return None
        fraction = " with a fraction" if isinstance(value, float) else ""
        return f"is {kind(value)}{fraction}, not a whole number"
