"""Recurrence rules of RFC 5545 (`FREQ=WEEKLY;BYDAY=MO`), judged without any scheduler."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

_FIRST_WORDS = re.compile(r"\s*(RRULE:|DTSTART|FREQ=|RDATE)", re.IGNORECASE)
_ANCHOR = datetime(2020, 1, 1)  # noqa: DTZ001 (a rule without DTSTART is local to its timezone)
# The last forty years that a datetime can express hold every kind of year, and then end.
_LATE = datetime(9960, 1, 1)  # noqa: DTZ001 (as above)


def is_recurrence(text: str) -> bool:
    """Whether the text is meant as a recurrence rule rather than as a cron expression."""
    return _FIRST_WORDS.match(text) is not None


def check_recurrence(text: str) -> None:
    """Make sure that a recurrence rule can be scheduled.

    Raises:
        ValueError: it cannot be parsed, never comes, or comes too often.
    """
    from dateutil.rrule import rrule, rrulestr

    upper = text.upper()
    if "FREQ=SECONDLY" in upper or re.search(r"BYSECOND=\d+,", upper):
        raise ValueError("a rule may not run more than once a minute: write {every: 30s} instead")
    if "COUNT=" in upper and "DTSTART" not in upper:
        raise ValueError("COUNT counts from DTSTART, which is missing")
    try:
        rule = rrulestr(text, dtstart=_ANCHOR)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"`{text}` is no recurrence rule of RFC 5545: {error}") from None
    if isinstance(rule, rrule) and not _comes(rule):
        raise ValueError(f"`{text}` never comes: no such day")


def _comes(rule: Any) -> bool:
    """Whether the days of the rule exist in any year; hours and counts do not matter for that."""
    from dateutil.rrule import YEARLY

    days = rule.replace(
        freq=YEARLY,
        interval=1,
        dtstart=_LATE,
        until=None,
        count=None,
        bysetpos=None,
        byhour=0,
        byminute=0,
        bysecond=0,
    )
    return next(iter(days), None) is not None
