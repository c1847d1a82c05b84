"""url_encode(text): percent-encoded (RFC 3986), so that it may stand anywhere in a URL."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from astrio.tasks.mapping.values import bounded, encoded

EXAMPLES = [("url_encode('a b/ä')", "a%20b%2F%C3%A4"), ("url_encode(null)", None)]
REJECTS = ["url_encode(1)"]


def call(value: Any) -> str | None:
    """Encode."""
    if value is None:
        return None
    given = encoded("url_encode()", value)
    bounded("url_encode()", 3 * len(given))
    return quote(given, safe="")
