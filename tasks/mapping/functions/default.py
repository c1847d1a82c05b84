"""default(value, fallback): the fallback where the value is null or empty ("", [] or {}).

0 and false are values of their own and stay. The fallback is computed only if it is needed.
"""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.emission import Emission

EXAMPLES = [
    ("default('', 'none')", "none"),
    ("default(null, 'none')", "none"),
    ("default([], 'none')", "none"),
    ("default(0, 7)", 0),
    ("default(false, true)", False),
    ("default('x', int('never computed'))", "x"),
]


def call(value: Any, fallback: Any) -> Any:
    """Replace null and empty values."""
    return value if value or value == 0 else fallback


def emit(emission: Emission, value: str, fallback: str) -> str:
    """Replace null and empty values; of what Python takes for false, only 0 and false equal 0."""
    name = emission.temporary()
    return f"({name} if ({name} := {value}) or {name} == 0 else {fallback})"
