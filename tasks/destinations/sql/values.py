"""A column's values on their way into the driver: checked, and turned into what it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import reduce
from itertools import chain
from json import JSONEncoder
from math import isnan
from operator import ne
from types import NoneType
from typing import Any, Final
from uuid import UUID

from astrio.tasks.batch import Field
from astrio.tasks.destinations.sql.kinds import EXACT_DOUBLE, Kind, Unstorable, join, kind_of
from astrio.tasks.texts import unstorable_text

_NULL: Final = frozenset({NoneType})
_INT: Final = frozenset({int})
_FLOAT: Final = frozenset({float})


@dataclass(slots=True)
class Column:
    """A column of a chunk.

    Attributes:
        parts: the values as the driver takes them, in parts.
        kind: their kind, None if all are null.
        only_text: no value but text (and null) is among them.
        converted: they differ from the values given.
    """

    parts: Sequence[Sequence[Any]]
    kind: Kind | None
    only_text: bool
    converted: bool

    @property
    def values(self) -> Sequence[Any]:
        """The values, as the driver takes them."""
        return self.parts[0] if len(self.parts) == 1 else list(chain.from_iterable(self.parts))

    @classmethod
    def joined(cls, columns: Sequence[Column]) -> Column:
        """Return the columns one below the other."""
        if len(columns) == 1:
            return columns[0]
        kinds = {column.kind for column in columns if column.kind is not None}
        return cls(
            [part for column in columns for part in column.parts],
            reduce(join, kinds) if kinds else None,
            only_text=all(column.only_text for column in columns),
            converted=any(column.converted for column in columns),
        )


def as_text(value: Any) -> str | None:
    """Return the text of a value that fell into a TEXT column, from which it can be read back."""
    return None if value is None else _TEXTS[type(value)](value)


def take(values: Sequence[Any], native: frozenset[type], *, nan: bool) -> Column:
    """Check a column's values and turn those of types that the driver does not take into text.

    Args:
        values: what the mapping made, one for each row.
        native: the types that the driver takes as they are.
        nan: whether the destination can hold a float that is not a number.

    Raises:
        Unstorable: a value cannot be held by any column.
    """
    return taken(Field(values, frozenset(map(type, values))), native, nan=nan)


def taken(field: Field, native: frozenset[type], *, nan: bool) -> Column:
    """Check a column of a batch; as `take`."""
    values, types = field.values, field.types - _NULL
    kind = Kind.INT if _is_small(field) else kind_of(values, types)
    foreign = types - native
    if foreign:
        values = _converted(values, foreign)
    only_text = types - foreign <= {str}
    reason = _unstorable(field, values, foreign)
    if reason:
        raise Unstorable(reason)
    if float in types - foreign and not nan and _has_nan(field):
        raise Unstorable("a float that is not a number (NaN) cannot be stored")
    return Column([values], kind, only_text, converted=bool(foreign))


def _is_small(field: Field) -> bool:
    """Whether all values are integers that a double holds exactly."""
    bounds = field.bounds() if field.types == _INT else ()
    return bool(bounds) and bounds[0] >= -EXACT_DOUBLE and bounds[1] <= EXACT_DOUBLE


def _has_nan(field: Field) -> bool:
    """Whether one of the values is no number; a sum tells quickly of most columns that none is."""
    if field.types == _FLOAT and not isnan(sum(field.values)):
        return False
    return any(map(ne, field.values, field.values))


def _unstorable(field: Field, values: Sequence[Any], foreign: frozenset[type]) -> str | None:
    """Return why no column takes one of the texts, among which are what others were turned into."""
    if foreign:
        return unstorable_text(value for value in values if type(value) is str)
    return field.unstorable() if str in field.types else None


def _converted(values: Sequence[Any], foreign: frozenset[type]) -> list[Any]:
    try:
        return [as_text(value) if type(value) in foreign else value for value in values]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unstorable("an object or a list with a value that JSON cannot express") from None


def _nested(value: Any) -> Any:
    return _TEXTS[type(value)](value)


# Unlike faster encoders, this one refuses NaN instead of turning it into null.
_json = JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_nested
).encode

_TEXTS: Final[dict[type, Callable[[Any], str]]] = {
    bool: lambda value: "true" if value else "false",
    int: repr,
    float: repr,
    str: lambda value: value,
    dict: _json,
    list: _json,
    tuple: _json,
    Decimal: str,
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    UUID: str,
}
