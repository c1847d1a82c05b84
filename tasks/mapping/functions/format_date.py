"""format_date(date, format): a date or time as text, the format written as in strftime.

Takes an ISO 8601 text too.
"""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.dates import read_moment
from astrio.tasks.mapping.formats import format_of, prepared_format

EXAMPLES = [
    ("format_date('2024-02-29', '%d.%m.%Y')", "29.02.2024"),
    ("format_date('2024-02-29T12:30:00Z', '%H:%M')", "12:30"),
    ("format_date(null, '%Y')", None),
]
REJECTS = ["format_date('soon', '%Y')", "format_date('2024-02-29', 1)"]
prepare = prepared_format(1)


def call(value: Any, format_: Any, *, context: MappingContext) -> str | None:
    """Write the date."""
    if value is None:
        return None
    form = format_of("format_date()", format_)
    return read_moment("format_date()", value, context.zone).strftime(form)
