"""Kinds of SQL columns, told from the values seen (contract.md, *SQL types and names*)."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum, auto
from functools import reduce
from itertools import filterfalse
from typing import Any, Final
from uuid import UUID

EXACT_DOUBLE: Final = 2**53
_LARGEST_BIGINT: Final = 2**63 - 1
_MOST_DIGITS: Final = 10**4300


class Unstorable(ValueError):  # noqa: N818 (a reason about one value, never an error of a run)
    """A value that no column of the destination can hold; its text is the reason."""


class Kind(Enum):
    """What a column holds."""

    BOOL = auto()
    INT = auto()
    """Integers that a double holds exactly."""
    LONG = auto()
    """64-bit integers, some of them beyond a double's 53 bits."""
    NUMERIC = auto()
    """Decimals, or integers beyond 64 bits."""
    FLOAT = auto()
    DATE = auto()
    TIMESTAMP = auto()
    JSON = auto()
    TEXT = auto()
    ANY = auto()
    """A column, made by somebody else, that takes every value as it is."""


KINDS: Final[dict[type, Kind]] = {
    bool: Kind.BOOL,
    int: Kind.INT,
    float: Kind.FLOAT,
    str: Kind.TEXT,
    dict: Kind.JSON,
    list: Kind.JSON,
    tuple: Kind.JSON,
    Decimal: Kind.NUMERIC,
    datetime: Kind.TIMESTAMP,
    date: Kind.DATE,
    time: Kind.TEXT,
    UUID: Kind.TEXT,
}

WORDS: Final = {
    Kind.BOOL: "true or false",
    Kind.INT: "integers",
    Kind.LONG: "integers beyond 53 bits",
    Kind.NUMERIC: "decimals, or integers beyond 64 bits",
    Kind.FLOAT: "floats",
    Kind.DATE: "dates",
    Kind.TIMESTAMP: "times",
    Kind.JSON: "objects or lists",
    Kind.TEXT: "texts",
    Kind.ANY: "of some other type",
}
"""What people call the values of a kind."""

_JOINS: Final = {
    frozenset({Kind.INT, Kind.LONG}): Kind.LONG,
    frozenset({Kind.INT, Kind.NUMERIC}): Kind.NUMERIC,
    frozenset({Kind.LONG, Kind.NUMERIC}): Kind.NUMERIC,
    frozenset({Kind.INT, Kind.FLOAT}): Kind.FLOAT,
}


def join(one: Kind, other: Kind) -> Kind:
    """Return the narrowest kind that holds both exactly; unrelated kinds meet in TEXT."""
    if one is other:
        return one
    if Kind.ANY in (one, other):
        return Kind.ANY
    return _JOINS.get(frozenset((one, other)), Kind.TEXT)


def kind_of(values: Sequence[Any], types: AbstractSet[type]) -> Kind | None:
    """Return the kind of a column's values; `types` are their types, None's left out.

    None means that only nulls were seen.

    Raises:
        Unstorable: a value has a type that no column takes.
    """
    unknown = types - KINDS.keys()
    if unknown:
        names = ", ".join(sorted(kind.__name__ for kind in unknown))
        raise Unstorable(f"a value of type {names} cannot be stored")
    kinds = {KINDS[kind] for kind in types}
    if int in types:
        kinds.discard(Kind.INT)
        kinds.add(_kind_of_ints(values, alone=len(types) == 1))
    return reduce(join, kinds) if kinds else None


def _kind_of_ints(values: Sequence[Any], *, alone: bool) -> Kind:
    ints = list(filter(None, values)) if alone else list(filterfalse(_is_no_int, values))
    low, high = min(ints, default=0), max(ints, default=0)
    if low >= -EXACT_DOUBLE and high <= EXACT_DOUBLE:
        return Kind.INT
    if low >= -_LARGEST_BIGINT - 1 and high <= _LARGEST_BIGINT:
        return Kind.LONG
    if low > -_MOST_DIGITS and high < _MOST_DIGITS:
        return Kind.NUMERIC
    raise Unstorable("an integer of more than 4300 digits cannot be stored")


def _is_no_int(value: Any) -> bool:
    return type(value) is not int
