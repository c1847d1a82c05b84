"""float(value): a binary floating-point number, from a number or its text."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from astrio.tasks.mapping.emission import Emission
from astrio.tasks.mapping.values import finite, mismatch, reject

EXAMPLES = [
    ("float('1.50')", 1.5),
    ("float('-2e3')", -2000.0),
    ("float(3)", 3.0),
    ("float(null)", None),
]
REJECTS = ["float('1,5')", "float('nan')", "float('inf')", "float('1e999')", "float(true)"]
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_ORDINARY = re.compile(r"[+-]?[0-9]{1,200}(?:\.[0-9]+)?")
"""A number as nearly all are written, and within the range of floats for certain."""


def call(value: Any) -> float | None:
    """Cast to a float."""
    if value is None:
        return None
    if isinstance(value, str):
        if not NUMBER.fullmatch(value.strip()):
            reject("float(): the text is not a number")
    elif isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        mismatch("float()", "a number or text", value)
    try:
        return finite("float()", float(value))
    except OverflowError:
        reject("float(): the number is too large")


def emit(emission: Emission, value: str) -> str:
    """Cast ordinary texts where they stand."""
    name, ordinary = emission.temporary(), emission.bind(_ORDINARY.fullmatch)
    of_text = f"({name} := {value}).__class__ is str and {ordinary}({name})"
    return f"({emission.bind(float)}({name}) if {of_text} else {emission.call(name)})"
