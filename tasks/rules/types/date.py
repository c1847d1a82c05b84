"""type date: a date, or a text that is one: 2024-02-29 (RFC 3339), or as `format` writes it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from astrio.tasks.mapping.values import kind
from astrio.tasks.rules.base import TypeRule
from astrio.tasks.rules.moments import as_formatted, checked_format, is_date
from astrio.tasks.rules.settings import RuleSettings


class Date(TypeRule):
    """`type: date`, `{type: date, format: "%d.%m.%Y"}`, or `validator: date`."""

    name = "date"
    options: ClassVar = frozenset({"format"})

    def __init__(self, argument: Any, settings: RuleSettings) -> None:
        """Take the format."""
        super().__init__(argument, settings)
        self._format = checked_format(settings)

    def reason(self, value: Any) -> str | None:
        """Refuse what is no date, and what has a time of day."""
        if isinstance(value, str):
            if self._format is not None:
                return None if as_formatted(value, self._format) else "is no date of that format"
            return None if is_date(value) else "is no date such as 2024-02-29"
        if isinstance(value, date) and not isinstance(value, datetime):
            return None
        return f"is {kind(value)}, not a date"
