"""Values side by side: which can be compared, and which are the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from astrio.tasks.mapping.values import kind, reject

_KINDS: Final[dict[type, str]] = {
    int: "number",
    float: "number",
    Decimal: "number",
    str: "text",
    date: "date",
    datetime: "time",
}


def spread(values: Sequence[Any]) -> Sequence[Any]:
    """Return a function's arguments, or the elements of the list that is the only one."""
    if len(values) == 1 and isinstance(values[0], list):
        return values[0]
    return values


def comparable(where: str, values: Sequence[Any]) -> list[Any]:
    """Return the values that are not null; all must be of one kind that has an order."""
    given = [value for value in values if value is not None]
    kinds = {_KINDS.get(value.__class__): value for value in given}
    if None in kinds:
        reject(f"{where} cannot compare {kind(kinds[None])}")
    if len(kinds) > 1:
        first, second, *_ = kinds.values()
        reject(f"{where} cannot compare {kind(first)} with {kind(second)}")
    if "time" in kinds and len({value.tzinfo is None for value in given}) > 1:
        reject(f"{where} cannot compare a time that has a zone with one that has none")
    return given


def identity(value: Any) -> Any:
    """Return what two values have in common exactly if `==` of the language holds them equal."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, list):
        return ("list", *map(identity, value))
    if isinstance(value, dict):
        return ("object", frozenset((key, identity(below)) for key, below in value.items()))
    return value
