"""What a sanitiser raises."""

from __future__ import annotations


class SanitizingError(ValueError):
    """A text cannot be sanitised; the error's text says why, without the text itself."""
