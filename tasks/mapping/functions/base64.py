"""base64(text): the text's UTF-8 in Base64 (RFC 4648)."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from astrio.tasks.mapping.values import bounded, encoded

EXAMPLES = [("base64('äb')", "w6Ri"), ("base64(null)", None)]
REJECTS = ["base64(1)"]


def call(value: Any) -> str | None:
    """Encode."""
    if value is None:
        return None
    given = encoded("base64()", value)
    bounded("base64()", len(given) * 4 // 3)
    return b64encode(given).decode()
