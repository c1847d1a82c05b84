"""Reading dates and times: ISO 8601 only, as Python's `fromisoformat` knows it."""

from __future__ import annotations

from datetime import date, datetime, time, tzinfo
from typing import Any

from astrio.tasks.mapping.values import mismatch, reject


def read_date(where: str, value: Any) -> date:
    """Return the day of a date, or of a date and time as it is written in its own zone."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        mismatch(where, "a date such as 2024-02-29", value)
    try:
        if len(value) <= len("2024-02-29"):
            return date.fromisoformat(value)
        return datetime.fromisoformat(value).date()
    except ValueError:
        reject(f"{where}: the text is no ISO 8601 date such as 2024-02-29")


def read_datetime(where: str, value: Any, zone: tzinfo) -> datetime:
    """Return a date and time with its zone; without one it is taken to be in `zone`."""
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, date):
        found = datetime.combine(value, time())
    elif isinstance(value, str):
        found = _parsed(where, value)
    else:
        mismatch(where, "a time such as 2024-02-29T12:30:00Z", value)
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)


def read_moment(where: str, value: Any, zone: tzinfo) -> date:
    """Return a date as a date, and what tells the time of day as a time with its zone."""
    if isinstance(value, str):
        short = len(value) <= len("2024-02-29")
        return read_date(where, value) if short else read_datetime(where, value, zone)
    if isinstance(value, datetime):
        return read_datetime(where, value, zone)
    return read_date(where, value)


def _parsed(where: str, value: str) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        reject(f"{where}: the text is no ISO 8601 time such as 2024-02-29T12:30:00Z")
