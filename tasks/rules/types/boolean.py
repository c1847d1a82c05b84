"""type boolean: true or false; 0, 1 and texts are neither."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import kind
from astrio.tasks.rules.base import TypeRule


class Boolean(TypeRule):
    """`type: boolean`."""

    name = "boolean"

    def reason(self, value: Any) -> str | None:
        """Refuse what is neither true nor false."""
        return None if isinstance(value, bool) else f"is {kind(value)}, not true or false"
