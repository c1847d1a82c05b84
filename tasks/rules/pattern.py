"""pattern: a regular expression (RE2) is found in the text; anchor it with ^ and $."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from astrio.tasks.mapping.values import LiteralError, kind
from astrio.tasks.regex import compile_regex
from astrio.tasks.rules.base import Rule, RuleError
from astrio.tasks.rules.settings import RuleSettings


class Pattern(Rule):
    """`pattern: "^[A-Z]{2}$"`, or `validator: "pattern:^[A-Z]{2}$"`."""

    name = "pattern"
    key = "pattern"

    def __init__(self, argument: Any, settings: RuleSettings) -> None:
        """Compile the pattern, once."""
        super().__init__(argument, settings)
        try:
            self._search = compile_regex(argument).search
        except LiteralError as error:
            key = self.key if argument is settings.pattern else "validator"
            raise RuleError(str(error), key) from None

    @classmethod
    def from_text(cls, text: str) -> Any:
        """Take all that follows the colon."""
        if not text:
            raise RuleError("pattern needs a regular expression, e.g. pattern:^A.", "validator")
        return text

    def suspects(self, values: Sequence[Any]) -> Iterable[int]:
        """Pass the texts in which it is found."""
        search = self._search
        return [
            place
            for place, value in enumerate(values)
            if not isinstance(value, str) or not search(value)
        ]

    def reason(self, value: Any) -> str | None:
        """Refuse texts without the pattern, and what is no text."""
        if not isinstance(value, str):
            return f"is {kind(value)}; pattern needs text"
        return None if self._search(value) else "does not match the pattern"
