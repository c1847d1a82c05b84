"""hash_email(address): the SHA-256 of an e-mail address in small letters without blanks.

As advertising platforms want it. It is a pseudonym, not anonymous: who knows the address finds
its hash.
"""

from __future__ import annotations

import hashlib
from typing import Any

from astrio.tasks.mapping.values import encoded, reject, text

EXAMPLES = [
    (
        "hash_email(' Ada@Example.com ')",
        "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72",
    ),
    ("hash_email(null)", None),
]
REJECTS = ["hash_email(1)", "hash_email('ada')"]


def call(value: Any) -> str | None:
    """Hash the address."""
    if value is None:
        return None
    address = text("hash_email()", value).strip().lower()
    if "@" not in address:
        reject("hash_email(): the text is no e-mail address")
    return hashlib.sha256(encoded("hash_email()", address)).hexdigest()
