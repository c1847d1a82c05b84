"""sha256(text): the text's SHA-256 (of its UTF-8), as hexadecimal digits."""

from __future__ import annotations

import hashlib
from typing import Any

from astrio.tasks.mapping.values import encoded

EXAMPLES = [
    (
        "sha256('abc')",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ),
    ("sha256(null)", None),
]
REJECTS = ["sha256(1)"]


def call(value: Any) -> str | None:
    """Hash."""
    if value is None:
        return None
    given = encoded("sha256()", value)
    return hashlib.sha256(given).hexdigest()
