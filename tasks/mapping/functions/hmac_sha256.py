"""hmac_sha256(text, key): the text's HMAC-SHA-256 (RFC 2104), as hexadecimal digits.

The key is best a reference to a secret, e.g. '${env:PSEUDONYM_KEY}': whoever knows it can find
out which text was hashed.
"""

from __future__ import annotations

import hmac
from typing import Any

from astrio.blocks.secrets import resolve
from astrio.tasks.mapping.values import encoded, reject

EXAMPLES = [
    (
        "hmac_sha256('what do ya want for nothing?', 'Jefe')",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    ("hmac_sha256(null, 'Jefe')", None),
]
REJECTS = ["hmac_sha256(1, 'Jefe')", "hmac_sha256('a', '')", "hmac_sha256('a', null)"]


def prepare(position: int, value: Any) -> Any:
    """Resolve the key's secret, where the mapping runs."""
    return resolve(value) if position == 1 and isinstance(value, str) else value


def call(value: Any, key: Any) -> str | None:
    """Hash with the key."""
    secret = encoded("hmac_sha256()", key)
    if not secret:
        reject("hmac_sha256() needs a key that is not empty")
    if value is None:
        return None
    return hmac.new(secret, encoded("hmac_sha256()", value), "sha256").hexdigest()
