"""trim(text): the text without blanks at either end."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.emission import Emission
from astrio.tasks.mapping.values import text

EXAMPLES = [("trim('  a b ')", "a b"), ("trim(null)", None)]
REJECTS = ["trim(1)"]


def call(value: Any) -> str | None:
    """Take the blanks away."""
    return None if value is None else text("trim()", value).strip()


def emit(emission: Emission, value: str) -> str:
    """Call the text's own method."""
    return emission.text_method(value, "strip")
