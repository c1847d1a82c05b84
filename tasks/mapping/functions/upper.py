"""upper(text): the text in capital letters."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.emission import Emission
from astrio.tasks.mapping.values import text

EXAMPLES = [("upper('äb')", "ÄB"), ("upper(null)", None)]
REJECTS = ["upper(1)", "upper(['a'])"]


def call(value: Any) -> str | None:
    """Change the case."""
    return None if value is None else text("upper()", value).upper()


def emit(emission: Emission, value: str) -> str:
    """Call the text's own method."""
    return emission.text_method(value, "upper")
