"""length: how many characters a text has, or elements a list: 5, 2..64, 2.. or ..64."""

from __future__ import annotations

import re
from typing import Any

from astrio.tasks.mapping.values import kind
from astrio.tasks.rules.base import Rule, RuleError
from astrio.tasks.rules.settings import RuleSettings

_FORM = re.compile(r"([0-9]{1,9})|([0-9]{0,9})\.\.([0-9]{0,9})")


class Length(Rule):
    """`length: 5`, `length: 2..64`, or `validator: "length:2..64"`."""

    name = "length"
    key = "length"

    def __init__(self, argument: Any, settings: RuleSettings) -> None:
        """Take the least and the greatest length, which themselves are allowed."""
        super().__init__(argument, settings)
        self._least, self._most = _bounds(argument)

    @classmethod
    def from_text(cls, text: str) -> Any:
        """Take the range."""
        return text

    def reason(self, value: Any) -> str | None:
        """Refuse what is too short or too long, and what has no length."""
        if not isinstance(value, str | list):
            return f"is {kind(value)}; length needs text or a list"
        unit = "character" if isinstance(value, str) else "element"
        unit += "s" * (len(value) != 1)
        if len(value) < self._least:
            return f"has {len(value):,} {unit}; it needs {self._least:,} at least"
        if self._most is not None and len(value) > self._most:
            return f"has {len(value):,} {unit}; {self._most:,} are allowed"
        return None


def _bounds(argument: Any) -> tuple[int, int | None]:
    found = _FORM.fullmatch(str(argument).replace(" ", ""))
    if found is None or found[0] == "..":
        raise RuleError("length is a number or a range: 5, 2..64, 2.. or ..64.", "length")
    if found[1] is not None:
        return int(found[1]), int(found[1])
    least, most = int(found[2] or 0), int(found[3]) if found[3] else None
    if most is not None and most < least:
        raise RuleError(f"No length lies between {least} and {most}.", "length")
    return least, most
