"""Figures of one field, column by column of each batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from math import isfinite, isnan
from types import NoneType
from typing import Any, Final
from uuid import UUID

from astrio.tasks.batch import NUMBERS, Field
from astrio.tasks.quality.distinct import Distinct
from astrio.tasks.quality.figures import FieldFigures
from astrio.tasks.tuning import DISTINCT_VALUES

WORDS: Final[dict[type, str]] = {
    bool: "bool",
    int: "number",
    float: "number",
    Decimal: "number",
    str: "text",
    UUID: "text",
    time: "text",
    date: "date",
    datetime: "datetime",
    dict: "object",
    list: "list",
    tuple: "list",
}
_KNOWN: Final = frozenset({*WORDS, NoneType})
_NULL: Final = frozenset({NoneType})
_ORDERED: Final = frozenset({int, float, Decimal, date, datetime})


class FieldProfile:
    """What was seen of one field; memory is bounded, whatever the values are."""

    __slots__ = ("_distinct", "_distinct_of", "_lengths", "_most", "_range", "filled", "kinds")

    def __init__(self, *, count_all: bool = False) -> None:
        """Begin with no value seen; `count_all` looks for different values among all of them."""
        self._most = None if count_all else DISTINCT_VALUES
        self._distinct_of = 0
        self.filled = 0
        self.kinds = set[str]()
        self._distinct: Distinct | None = Distinct()
        self._lengths: tuple[int, int] | None = None
        self._range: dict[str, tuple[Any, Any]] = {}

    def add(self, column: Field) -> None:
        """Count a column of a batch."""
        values, types = column.values, column.types
        if not types <= _KNOWN:
            values = self._known(values)
            types &= _KNOWN
        if NoneType in types:
            types -= _NULL
            values = [value for value in values if value is not None]
        self.filled += len(values)
        for each in types:
            self.kinds.add(WORDS[each])
            if each is str:
                self._lengths = _widest(self._lengths, column.lengths())
            elif each in _ORDERED:
                alike = values if len(types) == 1 else [v for v in values if type(v) is each]
                self._widen(
                    each, column.bounds() if column.types in NUMBERS else _bounds(each, alike)
                )
        if self._distinct is not None and (self._most is None or self._distinct_of < self._most):
            self._count(self._distinct, values)

    def _known(self, values: Sequence[Any]) -> Sequence[Any]:
        """Count what no column takes, and return the others; nothing may be asked of such things.

        A transform of the user's own may return whatever it likes.
        """
        for strange in (type(value) for value in values if type(value) not in _KNOWN):
            self.filled += 1
            self.kinds.add(strange.__name__)
        return [value for value in values if type(value) in _KNOWN]

    def _count(self, distinct: Distinct, values: Sequence[Any]) -> None:
        try:
            distinct.add(values)
            self._distinct_of += len(values)
        except TypeError:
            self._distinct, self._distinct_of = None, 0

    def _widen(self, kind: type, bounds: tuple[Any, ...]) -> None:
        if bounds:
            word = WORDS[kind]
            self._range[word] = _widest(self._range.get(word), bounds)

    def figures(self, records: int, invalid: int) -> FieldFigures:
        """Return the figures, of so many records in all."""
        low, high = self.range
        shortest, longest = self.lengths
        return FieldFigures(
            filled=self.filled,
            nulls=records - self.filled,
            invalid=invalid,
            kinds=sorted(self.kinds),
            distinct=self.distinct,
            distinct_of=self._distinct_of,
            min=_told(low),
            max=_told(high),
            shortest=shortest,
            longest=longest,
        )

    @property
    def range(self) -> tuple[Any, Any]:
        """The least and the greatest number, or moment if there are no numbers; or None."""
        return next(iter(self._range.values()), (None, None))

    @property
    def lengths(self) -> tuple[int | None, int | None]:
        """The least and the greatest length of a text, or None."""
        return self._lengths or (None, None)

    @property
    def distinct(self) -> int | None:
        """How many different values, None where they are objects or lists."""
        return None if self._distinct is None else self._distinct.estimate()


def _widest(known: tuple[Any, Any] | None, seen: tuple[Any, ...]) -> tuple[Any, Any]:
    if known is None:
        return seen[0], seen[1]
    return min(known[0], seen[0]), max(known[1], seen[1])


def _bounds(kind: type, values: Sequence[Any]) -> tuple[Any, ...]:
    """Return the least and the greatest of values of one type; nothing if none of them is."""
    if kind is datetime:
        zoned = [value for value in values if value.tzinfo is not None]
        if 0 < len(zoned) < len(values):
            values = list(map(in_utc, values))
        return in_utc(min(values)), in_utc(max(values))
    if kind is float and isnan(sum(values)):
        values = [value for value in values if not isnan(value)]
    elif kind is Decimal:
        values = [value for value in values if not value.is_nan()]
    return (min(values), max(values)) if values else ()


def in_utc(moment: datetime) -> datetime:
    """Return the moment in UTC, in which one without a zone is taken to be."""
    known = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    try:
        return known.astimezone(UTC)
    except OverflowError:  # within a day of the first or the last year
        return known.replace(tzinfo=UTC)


def _told(value: Any) -> int | float | str | None:
    """Return a bound as JSON tells it: a moment or a decimal as text."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value if value is None or isinstance(value, int) or isfinite(value) else str(value)
