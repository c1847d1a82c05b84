"""type string: text of any length."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import kind
from astrio.tasks.rules.base import TypeRule


class String(TypeRule):
    """`type: string`."""

    name = "string"

    def reason(self, value: Any) -> str | None:
        """Refuse what is no text."""
        return None if isinstance(value, str) else f"is {kind(value)}, not text"
