"""What min and max have in common: their bound, and what they measure."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

from astrio.tasks.rules.base import RuleError

Number = int | float | Decimal
PLAIN = frozenset({int, float, type(None)})
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def bound(value: Any, key: str) -> Number:
    """Return the bound, which must be a number.

    Raises:
        RuleError: it is none.
    """
    if isinstance(value, Number) and not isinstance(value, bool) and math.isfinite(value):
        return value
    raise RuleError(f"{key} needs a number, e.g. {key}: 18.", key)


def bound_from_text(text: str, name: str) -> Number:
    """Return the bound in `min:18`.

    Raises:
        RuleError: it is no number.
    """
    if not _NUMBER.fullmatch(text.strip()):
        raise RuleError(f"{name} needs a number, e.g. {name}:18.", "validator")
    return float(text) if "." in text else int(text)


def is_number(text: str) -> bool:
    """Whether the text is written as a number of a rule's short form."""
    return _NUMBER.fullmatch(text) is not None


def measured(value: Any) -> Number | None:
    """Return a number itself, a text's length in characters; None for what has no size."""
    if isinstance(value, str):
        return len(value)
    return value if isinstance(value, Number) and not isinstance(value, bool) else None
