"""Unquoted YAML scalars by the YAML 1.2 core schema (yaml.org/spec/1.2.2, section 10.3.2).

Only `true` and `false` are booleans: `on`, `off`, `yes`, `no` stay text, and so do dates.
"""

from __future__ import annotations

import math
import re
from typing import Any

_NULLS = ("", "~", "null", "Null", "NULL")
_TRUE = ("true", "True", "TRUE")
_FALSE = ("false", "False", "FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")


def resolve(text: str) -> Any:
    """Return what an unquoted scalar stands for: null, a boolean, a number, or its text.

    Raises:
        ValueError: it is a number that JSON (and so a stored parameter) cannot hold.
    """
    if text in _NULLS:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"`{text}` is not a number that JSON knows: quote it, if text is meant")
    return _float(text) if _FLOAT.fullmatch(text) else text


def loses_zeros(text: str) -> bool:
    """Tell whether an unquoted scalar is a number whose leading zeros get lost, such as 00123."""
    return _LEADING_ZERO.fullmatch(text) is not None


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("a number of so many digits cannot be read: quote it") from None


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"`{text}` is too large a number: quote it, if text is meant")
    return number
