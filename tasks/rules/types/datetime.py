"""type datetime: a time, or a text that is one, as RFC 3339 or `format` writes it.

The zone may be left out, and so may the seconds: 2024-02-29T12:30:00Z, 2024-02-29 12:30.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from astrio.tasks.mapping.values import kind
from astrio.tasks.rules.base import TypeRule
from astrio.tasks.rules.moments import as_formatted, checked_format, is_datetime
from astrio.tasks.rules.settings import RuleSettings


class DateTime(TypeRule):
    """`type: datetime`, `{type: datetime, format: "%d.%m.%Y %H:%M"}`, or `validator: datetime`."""

    name = "datetime"
    options: ClassVar = frozenset({"format"})

    def __init__(self, argument: Any, settings: RuleSettings) -> None:
        """Take the format."""
        super().__init__(argument, settings)
        self._format = checked_format(settings)

    def reason(self, value: Any) -> str | None:
        """Refuse what is no date with a time of day."""
        if isinstance(value, str):
            if self._format is not None:
                return None if as_formatted(value, self._format) else "is no time of that format"
            return None if is_datetime(value) else "is no time such as 2024-02-29T12:30:00Z"
        return None if isinstance(value, datetime) else f"is {kind(value)}, not a date and time"
