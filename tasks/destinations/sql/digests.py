"""Short names in the place of long ones."""

from __future__ import annotations

from hashlib import sha256


def digest(text: str) -> str:
    """Return a short name that stands for a long one."""
    return sha256(text.encode()).hexdigest()[:12]
