"""Cron expressions of five fields, as crontab(5) describes them, judged without any scheduler."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

ALIASES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    lowest: int
    highest: int
    names: tuple[str, ...] = ()

    def number(self, text: str) -> int:
        """Return the value that `text` stands for."""
        if text.lower() in self.names:
            return self.names.index(text.lower()) + self.lowest
        if not _NUMBER.fullmatch(text) or not self.lowest <= int(text) <= self.highest:
            span = f"{self.lowest} to {self.highest}"
            raise ValueError(f"`{text}` is no {self.name} ({span})")
        return int(text)


_FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, tuple(_MONTHS)),
    _Field("day of the week", 0, 7, tuple(_DAYS)),
)
_PART = re.compile(
    r"(?P<first>\*|[a-z0-9]+)(?:-(?P<last>[a-z0-9]+))?(?:/(?P<step>[0-9]+))?", re.IGNORECASE
)
_NUMBER = re.compile(r"[0-9]+")
_LAST_DAY = re.compile(r"L", re.IGNORECASE)
_NTH_WEEKDAY = re.compile(r"(?P<day>[a-z0-9]+)#[1-5]|L(?P<last>[0-7])", re.IGNORECASE)


def expand_cron(text: str) -> str:
    """Return the five fields of a cron expression; `@hourly` and the like are written out.

    Raises:
        ValueError: it is no cron expression, or describes days that never come.
    """
    fields = ALIASES.get(text.strip().lower(), text).split()
    if len(fields) != len(_FIELDS):
        raise ValueError(_wrong_length(text, fields))
    _, _, days, months, _ = [
        set(_values(field, written)) for field, written in zip(_FIELDS, fields, strict=True)
    ]
    # Cron runs on either kind of day if both are given, and a weekday always comes.
    if fields[4] == "*" and min(days) > max(_LONGEST[month - 1] for month in months):
        raise ValueError(f"`{text}` never comes: no such day in that month")
    return " ".join(fields)


def _wrong_length(text: str, fields: list[str]) -> str:
    if text.strip().startswith("@"):
        return f"`{text.strip()}` is none of {', '.join(ALIASES)}"
    return (
        f"a cron expression has 5 fields (minute, hour, day, month, weekday), found {len(fields)}"
    )


def _values(field: _Field, written: str) -> Iterator[int]:
    for part in written.split(","):
        yield from _special(field, part) or _range(field, part)


def _special(field: _Field, part: str) -> list[int]:
    """Return the day that `L` (the last of the month), `fri#2` or `L5` may fall on."""
    if field is _FIELDS[2] and _LAST_DAY.fullmatch(part):
        return [28]
    if field is _FIELDS[4] and (found := _NTH_WEEKDAY.fullmatch(part)):
        return [field.number(found["day"] or found["last"])]
    return []


def _range(field: _Field, part: str) -> range:
    found = _PART.fullmatch(part)
    if found is None or (found["first"] == "*" and found["last"]):
        raise ValueError(f"`{part}` is no {field.name}: write a number, a range, a list, * or */n")
    step = int(found["step"] or 1)
    whole = found["first"] == "*"
    first = field.lowest if whole else field.number(found["first"])
    last = field.highest if whole or (found["step"] and not found["last"]) else first
    if found["last"]:
        last = field.number(found["last"])
    if last < first:
        raise ValueError(f"`{part}` runs backwards: write two ranges, with a comma between them")
    if not 0 < step <= max(1, field.highest - field.lowest):
        raise ValueError(f"steps of {step} do not fit into the {field.name}s")
    return range(first, last + 1, step)
