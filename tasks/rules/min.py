"""min: a number is at least so large, a text at least so many characters long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from astrio.tasks.mapping.values import kind
from astrio.tasks.rules.base import Rule
from astrio.tasks.rules.bounds import PLAIN, bound, bound_from_text, measured
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

    def suspects(self, values: Sequence[Any]) -> Iterable[int]:
        """Pass plain numbers within the bound."""
        limit = self._bound
        if set(map(type, values)) <= PLAIN:
            return [
                place
                for place, value in enumerate(values)
                if value is not None and not value >= limit
            ]
        return range(len(values))

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
