"""decimal(value): an exact decimal number, from a number or its text: for money.

The digits of a JSON number are kept as sent. A float that was computed gives those that it shows.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from astrio.tasks.mapping.sent import Sent
from astrio.tasks.mapping.values import LONGEST_NUMBER, finite, mismatch, reject

EXAMPLES = [
    ("decimal('19.90')", Decimal("19.90")),
    ("decimal(0.1) + decimal('0.2')", Decimal("0.3")),
    ("decimal(3)", Decimal(3)),
    ("decimal(null)", None),
]
REJECTS = ["decimal('19,90')", "decimal('nan')", "decimal('1e99999')", "decimal(true)"]
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")


def call(value: Any) -> Decimal | None:
    """Cast to a decimal."""
    if value is None or isinstance(value, Decimal):
        return value
    if isinstance(value, str | Sent):
        digits = value.digits if isinstance(value, Sent) else value.strip()
        if len(digits) > LONGEST_NUMBER or not _NUMBER.fullmatch(digits):
            reject("decimal(): the text is not a decimal number")
        return Decimal(digits)
    if isinstance(value, bool) or not isinstance(value, int | float):
        mismatch("decimal()", "a number or text", value)
    return Decimal(repr(finite("decimal()", value)) if isinstance(value, float) else value)
