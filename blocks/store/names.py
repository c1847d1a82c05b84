"""The names that Prefect allows for a block: lower-case letters, digits and dashes."""

from __future__ import annotations

import re

PATTERN = "^[a-z0-9-]+$"
_NAME = re.compile(r"[a-z0-9-]+")


def is_block_name(text: str) -> bool:
    """Whether Prefect would take `text` as the name of a block."""
    return _NAME.fullmatch(text) is not None


def proposed_name(text: str) -> str:
    """Return the allowed name nearest to `text`, empty if nothing of it is left."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def check_name(text: str) -> str:
    """Return `text` if it may name a saved block.

    Raises:
        ValueError: it may not; the message proposes a name that may.
    """
    if is_block_name(text):
        return text
    proposal = proposed_name(text)
    hint = f"; for example `{proposal}`" if proposal and "://" not in text else ""
    raise ValueError(f"a saved name holds only a-z, 0-9 and -{hint}")
