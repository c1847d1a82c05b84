"""pattern: a regular expression (Python's `re`) is found in the text; anchor it with ^ and $."""

from __future__ import annotations

import re
from typing import Any

from astrio.tasks.mapping.values import kind
from astrio.tasks.rules.base import Rule, RuleError
from astrio.tasks.rules.settings import RuleSettings

LONGEST_PATTERN = 1_000


class Pattern(Rule):
    """`pattern: "^[A-Z]{2}$"`, or `validator: "pattern:^[A-Z]{2}$"`."""

    name = "pattern"
    key = "pattern"

    def __init__(self, argument: Any, settings: RuleSettings) -> None:
        """Compile the pattern, once."""
        super().__init__(argument, settings)
        key = self.key if argument is settings.pattern else "validator"
        if len(argument) > LONGEST_PATTERN:
            raise RuleError(f"The pattern is longer than {LONGEST_PATTERN:,} characters.", key)
        try:
            self._search = re.compile(argument).search
        except (re.error, OverflowError, RecursionError) as error:
            raise RuleError(f"The pattern is no regular expression: {error}.", key) from None

    @classmethod
    def from_text(cls, text: str) -> Any:
        """Take all that follows the colon."""
        if not text:
            raise RuleError("pattern needs a regular expression, e.g. pattern:^A.", "validator")
        return text

    def reason(self, value: Any) -> str | None:
        """Refuse texts without the pattern, and what is no text."""
        if not isinstance(value, str):
            return f"is {kind(value)}; pattern needs text"
        return None if self._search(value) else "does not match the pattern"
