"""trim: without blanks at both ends, as the mapping's `trim()`."""

from __future__ import annotations


def sanitize(text: str) -> str:
    """Trim."""
    return text.strip()
