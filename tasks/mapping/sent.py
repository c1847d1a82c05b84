"""Fractions with their digits as sent, which only `decimal()` asks for.

Where a mapping uses `decimal()`, a page's fractions are decoded to floats that remember their text
if a float shows other digits (`12.50`, `1e3`, more than seventeen digits). The compiled mapping
takes them for plain floats everywhere but on the way to `decimal()`, so none leaves an expression.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from astrio.tasks.mapping.syntax import Call, Node, walk

_KEEPING: Final = frozenset({"if", "coalesce", "default", "first", "last"})
"""Functions that compare nothing and hand on what they are given."""


class Sent(float):
    """A float that remembers its digits as sent."""

    __slots__ = ("digits",)
    digits: str


def sent(text: str) -> float | Decimal:
    """Return a JSON number with a fraction or exponent; what no float can hold is a decimal."""
    value = float(text)
    if not math.isfinite(value):
        return Decimal(text)
    if repr(value) == text:
        return value
    remembering = Sent(value)
    remembering.digits = text
    return remembering


def plain(value: Any) -> Any:
    """Return a value with plain floats, at any depth."""
    kind = value.__class__
    if kind is Sent:
        return float(value)
    if kind is list:
        return [plain(item) for item in value]
    if kind is dict:
        return {key: plain(item) for key, item in value.items()}
    return value


def asks_for_digits(nodes: Iterable[Node]) -> bool:
    """Whether any of the expressions uses `decimal()`."""
    below = (each for node in nodes for each in walk(node))
    return any(isinstance(each, Call) and each.name == "decimal" for each in below)


def keeps_digits(name: str, place: int, *, digits: bool) -> bool:
    """Whether an argument's fractions may remember their digits.

    Args:
        name: of the function.
        place: of the argument, 0-based.
        digits: whether the fractions of what the function gives may.
    """
    if name == "decimal":
        return True
    if name == "map":  # its elements may be on their way to a decimal() in the function
        return place == 0 or digits
    return digits and (name in _KEEPING or (name == "filter" and place == 0))
