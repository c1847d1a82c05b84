"""A column's values on their way into the driver: checked, and turned into what it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import reduce
from itertools import chain
from json import JSONEncoder
from operator import ne
from types import NoneType
from typing import Any, Final
from uuid import UUID

from astrio.tasks.destinations.sql.kinds import Kind, Unstorable, join, kind_of

_NULL: Final = frozenset({NoneType})


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


def take(
    values: Sequence[Any],
    native: frozenset[type],
    *,
    nan: bool,
    types: frozenset[type] | None = None,
) -> Column:
    """Check a column's values and turn those of types that the driver does not take into text.

    Args:
        values: what the mapping made, one for each row.
        native: the types that the driver takes as they are.
        nan: whether the destination can hold a float that is not a number.
        types: the values' types, if they are known already.

    Raises:
        Unstorable: a value cannot be held by any column.
    """
    nulls = NoneType in (types := frozenset(map(type, values)) if types is None else types)
    types -= _NULL
    kind = kind_of(values, types)
    foreign = types - native
    if foreign:
        values = _converted(values, foreign)
    only_text = types - foreign <= {str}
    if foreign or str in types:
        texts = values if only_text else [value for value in values if type(value) is str]
        _check_texts(filter(None, texts) if nulls else texts)
    if float in types and not nan and any(map(ne, values, values)):
        raise Unstorable("a float that is not a number (NaN) cannot be stored")
    return Column([values], kind, only_text, converted=bool(foreign))


def is_unicode(text: str) -> bool:
    """Whether the text can be encoded: it has no half of a surrogate pair."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _converted(values: Sequence[Any], foreign: frozenset[type]) -> list[Any]:
    try:
        return [as_text(value) if type(value) in foreign else value for value in values]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unstorable("an object or a list with a value that JSON cannot express") from None


def _check_texts(texts: Iterable[str]) -> None:
    joined = "".join(texts)
    if "\0" in joined:
        raise Unstorable("a text with a NUL character cannot be stored")
    if not is_unicode(joined):
        raise Unstorable("a text with half of a surrogate pair cannot be stored")


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
