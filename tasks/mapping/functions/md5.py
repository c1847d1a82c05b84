"""md5(text): the text's MD5 (of its UTF-8), as hexadecimal digits.

For what must agree with other systems; it protects nothing.
"""

from __future__ import annotations

import hashlib
from typing import Any

from astrio.tasks.mapping.values import encoded

EXAMPLES = [
    (
        "md5('abc')",
        "900150983cd24fb0d6963f7d28e17f72",
    ),
    ("md5(null)", None),
]
REJECTS = ["md5(1)"]


def call(value: Any) -> str | None:
    """Hash."""
    if value is None:
        return None
    given = encoded("md5()", value)
    return hashlib.md5(given, usedforsecurity=False).hexdigest()
