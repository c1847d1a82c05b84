"""starts_with(text, beginning): whether the text begins so; false for null."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import text

EXAMPLES = [
    ("starts_with('abc', 'ab')", True),
    ("starts_with('abc', 'b')", False),
    ("starts_with(null, 'a')", False),
]
REJECTS = ["starts_with(1, 'a')", "starts_with('abc', 1)"]


def call(value: Any, beginning: Any) -> bool:
    """Compare the beginning."""
    if value is None or beginning is None:
        return False
    return text("starts_with()", value).startswith(text("starts_with()", beginning))
