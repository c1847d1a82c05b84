"""coalesce(value, …): the first value that is not null; later ones are not computed."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.emission import Emission

EXAMPLES = [
    ("coalesce(null, '', 'x')", ""),
    ("coalesce(null, null)", None),
    ("coalesce(1, int('never computed'))", 1),
]


def call(value: Any, *others: Any) -> Any:
    """Return the first that is not null."""
    return next((each for each in (value, *others) if each is not None), None)


def emit(emission: Emission, *sources: str) -> str:
    """Try one after the other."""
    return emission.first_given(sources)
