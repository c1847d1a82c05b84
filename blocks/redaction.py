"""Keeping secrets out of every text that leaves astrio."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote, quote_plus

MASK = "***"
_USERINFO = re.compile(r"(?<=://)[^/\s@]+@")
_SENSITIVE = (
    r"[\w.-]*(?:token|secret|password|passwd|api[_-]?key|apikey|access[_-]?key|signature|"
    r"authorization|credential)[\w.-]*"
)
_QUERY = re.compile(rf"(?i)(?<=[?&])({_SENSITIVE}|key|sig|code)=[^&#\s'\"]*")
_HEADER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_SHORTEST = 4
_known: dict[str, None] = {}


def remember(secret: str) -> None:
    """Remember a secret (and its URL-encoded and base64 forms), to be masked everywhere.

    Values shorter than four characters are left out: masking them would garble every text.
    """
    if len(secret) < _SHORTEST:
        return
    encoded = base64.b64encode(secret.encode()).decode()
    for form in (secret, quote(secret, safe=""), quote_plus(secret), encoded):
        _known.setdefault(form)


def redact(text: str) -> str:
    """Return `text` with known secrets, URL user info and sensitive parameters masked."""
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, MASK)
    text = _USERINFO.sub(f"{MASK}@", text)
    text = _QUERY.sub(rf"\1={MASK}", text)
    return _HEADER.sub(rf"\1 {MASK}", text)
