"""length(value): how many characters a text, elements a list or keys an object has."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.emission import Emission
from astrio.tasks.mapping.values import mismatch

EXAMPLES = [("length('äöü')", 3), ("length([1, null])", 2), ("length(null)", None)]
REJECTS = ["length(1)"]


def call(value: Any) -> int | None:
    """Measure."""
    if value is None:
        return None
    if not isinstance(value, str | list | dict):
        mismatch("length()", "text, a list or an object", value)
    return len(value)


def emit(emission: Emission, value: str) -> str:
    """Measure lists and texts where they stand."""
    name, measure = emission.temporary(), emission.bind(len)
    kinds = " or ".join(f"{name}.__class__ is {emission.bind(each)}" for each in (list, str))
    return f"({measure}({name}) if [{name} := {value}] and ({kinds}) else {emission.call(name)})"
