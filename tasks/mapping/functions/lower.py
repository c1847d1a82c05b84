"""lower(text): the text in small letters."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.emission import Emission
from astrio.tasks.mapping.values import text

EXAMPLES = [("lower('ÄB')", "äb"), ("lower(null)", None)]
REJECTS = ["lower(1)", "lower(['a'])"]


def call(value: Any) -> str | None:
    """Change the case."""
    return None if value is None else text("lower()", value).lower()


def emit(emission: Emission, value: str) -> str:
    """Call the text's own method."""
    return emission.text_method(value, "lower")
