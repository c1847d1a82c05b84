"""min: a number is at least so large, a text at least so many characters long."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import kind
from astrio.tasks.rules.base import Rule
from astrio.tasks.rules.bounds import bound, bound_from_text, measured
from astrio.tasks.rules.settings import RuleSettings


class Minimum(Rule):
    """`min: 18`, or `validator: "min:18"`."""

    name = "min"
    key = "min"

    def __init__(self, argument: Any, settings: RuleSettings) -> None:
        """Take the bound, which itself is allowed."""
        super().__init__(argument, settings)
        self._bound = bound(argument, self.key)

    @classmethod
    def from_text(cls, text: str) -> Any:
        """Read the bound."""
        return bound_from_text(text, cls.name)

    def reason(self, value: Any) -> str | None:
        """Refuse what lies beyond the bound, and what has no size."""
        size = measured(value)
        if size is None:
            return f"is {kind(value)}; min needs a number or text"
        if size >= self._bound:
            return None
        if isinstance(value, str):
            return f"is shorter than {self._bound} characters"
        return f"is less than {self._bound}"
