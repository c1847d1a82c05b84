"""Dates and times as the rules read them: more strictly than the mapping's `date()`.

What passes is understood by every database: the extended form of ISO 8601 that RFC 3339 chose,
not its week dates (2024-W09-4), nor its basic form (20240229).
"""

from __future__ import annotations

import re
from datetime import date, datetime

from astrio.tasks.mapping.formats import prepared_format
from astrio.tasks.mapping.values import LiteralError
from astrio.tasks.rules.base import RuleError
from astrio.tasks.rules.settings import RuleSettings

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_DATETIME = re.compile(
    rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[T ]{_CLOCK}(?::[0-5][0-9](?:\.[0-9]{{1,9}})?)?"
    rf"(?:Z|[+-]{_CLOCK})?"
)
_LONGEST = 100


def is_date(text: str) -> bool:
    """Whether the text is a day of the calendar."""
    return _DATE.fullmatch(text) is not None and _exists(text)


def is_datetime(text: str) -> bool:
    """Whether the text is a time of a day of the calendar."""
    return _DATETIME.fullmatch(text) is not None and _exists(text[:10])


def _exists(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def as_formatted(text: str, form: str) -> bool:
    """Whether the text is a date or time of the format, which is written as in strftime."""
    if len(text) > _LONGEST:
        return False
    try:
        datetime.strptime(text, form)  # noqa: DTZ007 (only whether it can be read matters)
    except (ValueError, OverflowError):
        return False
    return True


def checked_format(settings: RuleSettings) -> str | None:
    """Return the format of an entry, None where it names none.

    Raises:
        RuleError: it is no format of dates.
    """
    if settings.format is not None:
        try:
            prepared_format(0)(0, settings.format)
        except LiteralError as error:
            raise RuleError(str(error), "format") from None
    return settings.format
