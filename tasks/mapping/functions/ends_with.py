"""ends_with(text, ending): whether the text ends so; false for null."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import text

EXAMPLES = [("ends_with('a.pdf', '.pdf')", True), ("ends_with(null, 'a')", False)]
REJECTS = ["ends_with(1, 'a')", "ends_with('a', null)"]


def call(value: Any, ending: Any) -> bool:
    """Compare the end."""
    if value is None:
        return False
    return text("ends_with()", value).endswith(text("ends_with()", ending))
