"""empty_to_null: null in place of the empty text; name it after `trim` to catch blanks, too."""

from __future__ import annotations


def sanitize(text: str) -> str | None:
    """Replace."""
    return text or None
