"""parse_date(text, format): a date, or a time, of a text in another form than ISO 8601.

The format is written as in strftime, e.g. '%d.%m.%Y' or '%m/%d/%Y %H:%M'; with hours, minutes
or seconds in it the result is a time, in the run's zone unless %z says another. 'epoch' and
'epoch_ms' take the seconds or milliseconds since 1970.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final

from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.formats import format_of, prepared_format, tells_time
from astrio.tasks.mapping.values import number, reject, text

EXAMPLES = [
    ("parse_date('29.02.2024', '%d.%m.%Y')", date(2024, 2, 29)),
    (
        "parse_date('02/29/2024 12:30', '%m/%d/%Y %H:%M')",
        datetime(2024, 2, 29, 12, 30, tzinfo=UTC),
    ),
    ("parse_date(1709209800, 'epoch')", datetime(2024, 2, 29, 12, 30, tzinfo=UTC)),
    ("parse_date(null, '%d.%m.%Y')", None),
]
REJECTS = [
    "parse_date('30.02.2024', '%d.%m.%Y')",
    "parse_date(1, '%Y')",
    "parse_date('1', 'epoch')",
    "parse_date(1e300, 'epoch')",
]
prepare = prepared_format(1, "epoch", "epoch_ms")
_DIVISORS: Final = {"epoch": 1, "epoch_ms": 1000}


def call(value: Any, format_: Any, *, context: MappingContext) -> date | None:
    """Read the text."""
    if value is None:
        return None
    form = format_of("parse_date()", format_, *_DIVISORS)
    if form in _DIVISORS:
        return _moment(value, _DIVISORS[form])
    given = text("parse_date()", value)
    try:
        found = datetime.strptime(given, form)  # noqa: DTZ007 (the zone is set below)
    except ValueError:
        reject("parse_date(): the text is no date of that format")
    if not tells_time(form):
        return found.date()
    return found if found.tzinfo is not None else found.replace(tzinfo=context.zone)


def _moment(value: Any, divisor: int) -> datetime:
    try:
        return datetime.fromtimestamp(float(number("parse_date()", value)) / divisor, UTC)
    except (ValueError, OverflowError, OSError):
        reject("parse_date(): the number is no time")
