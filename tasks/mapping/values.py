"""The kinds of values that expressions know, and what may be done with them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NoReturn

from astrio.blocks.errors import RecordRejectedError

MAX_TEXT = 10_000_000
LONGEST_NUMBER = 4_300
"""Digits; what Python converts without being asked twice (CVE-2020-10735)."""


class LiteralError(ValueError):
    """What stands in an expression as a constant cannot be used; the text is a sentence."""


_NAMES: dict[type, str] = {
    type(None): "null",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    Decimal: "a decimal",
    list: "a list",
    dict: "an object",
    date: "a date",
    datetime: "a date and time",
}


def kind(value: Any) -> str:
    """Return a value's kind as messages call it: `text`, `a number`, `a list`."""
    name = _NAMES.get(value.__class__)
    if name is not None:
        return name
    matches = (word for base, word in _NAMES.items() if isinstance(value, base))
    return next(matches, value.__class__.__name__)


def reject(message: str) -> NoReturn:
    """Reject the record.

    Raises:
        RecordRejectedError: always; the place in the expression is added further up.
    """
    raise RecordRejectedError(message)


def mismatch(where: str, wanted: str, value: Any) -> NoReturn:
    """Reject the record since `where` (a function or sign) was given another kind of value."""
    reject(f"{where} needs {wanted}, not {kind(value)}")


def text(where: str, value: Any) -> str:
    """Return the value, which must be text."""
    if isinstance(value, str):
        return value
    mismatch(where, "text", value)


def encoded(where: str, value: Any) -> bytes:
    """Return the UTF-8 of the value, which must be text without halves of surrogate pairs."""
    try:
        return text(where, value).encode()
    except UnicodeEncodeError:
        reject(f"{where}: half of a surrogate pair is no character")


def whole(where: str, value: Any) -> int:
    """Return the value, which must be a whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    mismatch(where, "a whole number", value)


def items(where: str, value: Any) -> Sequence[Any]:
    """Return the value, which must be a list."""
    if isinstance(value, list | tuple):
        return value
    mismatch(where, "a list", value)


def number(where: str, value: Any) -> int | float | Decimal:
    """Return the value, which must be a number."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return value
    mismatch(where, "a number", value)


def finite(where: str, value: float) -> float:
    """Return the value, which must be neither infinite nor NaN: JSON and SQL know neither."""
    if math.isfinite(value):
        return value
    reject(f"{where} leaves the range of numbers")


def bounded(where: str, size: int) -> None:
    """Refuse to build a text of more than ten million characters."""
    if size > MAX_TEXT:
        reject(f"{where} would build a text of more than {MAX_TEXT:,} characters")


def as_text(where: str, value: Any) -> str:
    """Return a scalar as JSON writes it (texts as they are, dates in ISO 8601), null as ""."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int | float):
        return digits(where, value)
    mismatch(where, "texts and numbers", value)


def template(*parts: Any) -> str:
    """Return the parts as one text; nulls are left out."""
    texts = [as_text("a template", part) for part in parts]
    bounded("a template", sum(map(len, texts)))
    return "".join(texts)


def digits(where: str, value: float) -> str:
    """Return a number's digits."""
    try:
        return repr(value)
    except ValueError:
        reject(f"{where} is given a number of more than {LONGEST_NUMBER:,} digits")
