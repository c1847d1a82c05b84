"""What texts can be stored and sent."""

from __future__ import annotations

from collections.abc import Iterable


def unstorable_text(texts: Iterable[str]) -> str:
    """Return why no column takes one of the texts, "" if any does."""
    joined = "".join(texts)
    if "\0" in joined:
        return "a text with a NUL character cannot be stored"
    if not is_unicode(joined):
        return "a text with half of a surrogate pair cannot be stored"
    return ""


def is_unicode(text: str) -> bool:
    """Whether the text can be encoded: it has no half of a surrogate pair."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
