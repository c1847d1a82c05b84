"""base64_decode(text): the UTF-8 text that is written in Base64 (RFC 4648)."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from astrio.tasks.mapping.values import encoded, reject

EXAMPLES = [("base64_decode('w6Ri')", "äb"), ("base64_decode(null)", None)]
REJECTS = ["base64_decode(1)", "base64_decode('w6R')", "base64_decode('/w==')"]


def call(value: Any) -> str | None:
    """Decode."""
    if value is None:
        return None
    try:
        return b64decode(encoded("base64_decode()", value), validate=True).decode()
    except ValueError:
        reject("base64_decode(): the text is not UTF-8 in Base64")
