"""Cursor values: read, compared by what they mean, and written back in their source's own form.

Known are ISO 8601 dates and times (any offset, up to nine fraction digits, `T` or a space), and
numbers: epoch seconds or milliseconds, or counting IDs, as JSON numbers or as digits in a text.
A time without an offset is taken as UTC.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import total_ordering
from typing import Any, Final

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.shapes import describe

_ISO = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)(?:(?P<gap>[Tt ])(?P<time>\d\d:\d\d)(?::(?P<second>\d\d)"
    r"(?:(?P<point>[.,])(?P<fraction>\d{1,9}))?)?(?P<zone> ?[Zz]| ?[+-]\d\d(?::?\d\d)?)?)?"
)
_NUMBER = re.compile(r"-?\d+(?:\.(?P<fraction>\d+))?")
_SHAPE: Final = str.maketrans("123456789", "000000000")
_ONE_FORM = re.compile(r"0000-00-00(?:[T ]00:00(?::00(?:\.0{1,9})?)?Z?)?")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_SECOND: Final = 10**8  # 1973; whatever is smaller counts something else
_FIRST_MILLISECOND: Final = 10**11
_LAST_MILLISECOND: Final = 10**14


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Cursor:
    """A cursor value that knows what it means and how it was written.

    Attributes:
        raw: as the source wrote it.
        moment: the time it names, whole seconds; None: it is a number.
        nanos: the fraction of a second.
        number: the number; 0 for a time.
    """

    raw: Any
    moment: datetime | None = None
    nanos: int = 0
    number: int | Decimal = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cursor) and self._key(other) == other._key(self)

    def __lt__(self, other: Cursor) -> bool:
        return self._key(other) < other._key(self)

    __hash__ = None  # type: ignore[assignment] # equal values differ in form

    def _key(self, other: Cursor) -> tuple[Any, int]:
        if (self.moment is None) != (other.moment is None):
            raise ApiAnswerError(
                "The cursor is a time in one place and a number in another.",
                advice="Check incremental.cursor; if the API changed, run with --full-refresh.",
            )
        return (self.number if self.moment is None else self.moment), self.nanos

    @property
    def epoch_unit(self) -> int | None:
        """Units a second if the number can be an epoch time: 1, 1000, or None."""
        if not _FIRST_SECOND <= self.number < _LAST_MILLISECOND:
            return None
        return 1 if self.number < _FIRST_MILLISECOND else 1000

    def as_time(self) -> Cursor | None:
        """Return the time that it names, or None for a number that counts something."""
        if self.moment is not None:
            return self
        if self.epoch_unit is None:
            return None
        nanos = int(self.number * (1_000_000_000 // self.epoch_unit))
        moment = _EPOCH + timedelta(seconds=nanos // 1_000_000_000)
        return Cursor(self.raw, moment, nanos % 1_000_000_000)


def parse_cursor(value: Any) -> Cursor:
    """Read a cursor value.

    Raises:
        ApiAnswerError: it is neither a time nor a number.
    """
    if isinstance(value, str):
        text = value.strip()
        if match := _ISO.fullmatch(text):
            return _time(value, match)
        if _NUMBER.fullmatch(text):
            return Cursor(value, number=Decimal(text) if "." in text else int(text))
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        number = value if isinstance(value, int) else Decimal(str(value))
        if not isinstance(number, Decimal) or number.is_finite():
            return Cursor(value, number=number)
    raise _unknown(value)


def like(value: Cursor, form: Any) -> Any:
    """Return `value` written as `form` is written; what does not fit in it is cut off, downwards.

    Raises:
        ApiAnswerError: one is a time and the other a number that is no epoch time.
    """
    target = parse_cursor(form)
    if target.moment is None:
        return _like_number(value, target)
    time = value.as_time()
    if time is None:
        raise ApiAnswerError("A cursor that only counts cannot be written as a time.")
    match = _ISO.fullmatch(str(form).strip())
    assert match is not None
    return _like_text(time, target, match)


def earlier(value: Any, by: timedelta | int | float) -> Any:
    """Return the value moved back, in its own form.

    Raises:
        ApiAnswerError: a duration cannot be taken from a counting number, nor a number from a time.
    """
    cursor = parse_cursor(value)
    if not isinstance(by, timedelta):
        if cursor.moment is not None:
            raise ApiAnswerError(
                "The lookback is a plain number, but the cursor is a time.",
                advice="Write the lookback as a duration, e.g. 5m.",
            )
        return _like_number(Cursor(None, number=cursor.number - Decimal(str(by))), cursor)
    time = cursor.as_time()
    if time is None or time.moment is None:
        raise ApiAnswerError(
            "The lookback is a duration, but the cursor is a number that is no epoch time.",
            advice="Write the lookback as a plain number, e.g. 100.",
        )
    return like(_moved_back(time, time.moment, by), value)


def later(value: Any, by: timedelta | int | float) -> Any:
    """Return the value moved on, in its own form; see `earlier`."""
    return earlier(value, -by)


def middle(first: Any, last: Any) -> Any:
    """Return what lies half way between two values, written as the first; None: nothing does.

    Raises:
        ApiAnswerError: they are of different kinds.
    """
    low, high = parse_cursor(first), parse_cursor(last)
    if low.moment is None or high.moment is None:
        found = _like_number(Cursor(None, number=Decimal(low.number + high.number) / 2), low)
    else:
        apart = high.moment - low.moment + timedelta(microseconds=(high.nanos - low.nanos) / 1000)
        found = later(first, apart / 2)
    return found if low < parse_cursor(found) < high else None


def highest(values: Sequence[Any]) -> Any:
    """Return the highest value as it was written; null, "" and zero dates are left out.

    Raises:
        ApiAnswerError: a value is no cursor, or times and numbers are mixed.
    """
    present = [value for value in values if value is not None and value != ""]
    kinds = set(map(type, present))
    if kinds == {int}:
        return max(present)
    if kinds == {str} and _same_form(present):
        return max(present)
    cursors = [parse_cursor(value) for value in present if not _zero_date(value)]
    return max(cursors).raw if cursors else None


def _same_form(texts: list[str]) -> bool:
    """Whether the texts compare as text like what they mean."""
    shapes = {text.translate(_SHAPE) for text in texts}
    if len(shapes) != 1 or min(texts).startswith("0000"):
        return False
    return _ONE_FORM.fullmatch(shapes.pop()) is not None


def _zero_date(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("0000-00-00")


def _time(value: str, match: re.Match[str]) -> Cursor:
    zone = (match["zone"] or "Z").strip().upper()
    clock = f"{match['time'] or '00:00'}:{min(match['second'] or '00', '59')}"
    try:
        moment = datetime.fromisoformat(f"{match['date']}T{clock}{zone}")
    except ValueError:
        raise _unknown(value) from None
    return Cursor(value, moment, int((match["fraction"] or "").ljust(9, "0")))


def _like_text(time: Cursor, target: Cursor, match: re.Match[str]) -> str:
    assert time.moment is not None
    assert target.moment is not None
    local = time.moment.astimezone(target.moment.tzinfo)
    if not match["time"]:
        return local.strftime("%Y-%m-%d").rjust(10, "0")
    clock = local.isoformat(match["gap"], "seconds" if match["second"] else "minutes")
    digits = match["fraction"] or ""
    fraction = match["point"] + f"{time.nanos:09d}"[: len(digits)] if digits else ""
    return clock[: 19 if match["second"] else 16] + fraction + (match["zone"] or "")


def _like_number(value: Cursor, target: Cursor) -> Any:
    number = value.number
    if value.moment is not None:
        unit = target.epoch_unit
        if unit is None:
            raise ApiAnswerError("A time cannot be written as a number that only counts.")
        seconds = (value.moment - _EPOCH) // timedelta(seconds=1)
        number = seconds * unit + Decimal(value.nanos * unit) / 1_000_000_000
    if isinstance(target.raw, str):
        digits = len(str(target.raw).strip().partition(".")[2])
        scale = 10**digits
        return f"{Decimal(int(number * scale // 1)) / scale:.{digits}f}"
    return float(number) if isinstance(target.raw, float | Decimal) else int(number // 1)


def _moved_back(time: Cursor, moment: datetime, by: timedelta) -> Cursor:
    seconds, rest = divmod(by, timedelta(seconds=1))
    nanos = time.nanos - rest.microseconds * 1000
    borrowed = 1 if nanos < 0 else 0
    try:
        moved = moment - timedelta(seconds=seconds + borrowed)
    except OverflowError:
        if by < timedelta(0):
            return Cursor(None, datetime.max.replace(tzinfo=moment.tzinfo))
        return Cursor(None, datetime.min.replace(tzinfo=moment.tzinfo))
    return Cursor(None, moved, nanos + borrowed * 1_000_000_000)


def _unknown(value: Any) -> ApiAnswerError:
    shown = repr(value[:40]) if isinstance(value, str) else describe(value)
    return ApiAnswerError(
        f"The cursor value {shown} is neither an ISO 8601 time nor a number.",
        advice="Check incremental.cursor: it must lead to such a field.",
    )
