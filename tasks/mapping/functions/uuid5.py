"""uuid5(text, namespace): a UUID that is always the same for the same text (RFC 9562, version 5).

The namespace is a UUID; without one it is that of URLs.
"""

from __future__ import annotations

import uuid
from typing import Any

from astrio.tasks.mapping.values import encoded, reject, text

EXAMPLES = [
    ("uuid5('https://example.com/1')", "0adedf02-e466-573b-a3fe-6a7f799d7d3d"),
    ("uuid5('1', '6ba7b810-9dad-11d1-80b4-00c04fd430c8')", "b04965e6-a9bb-591f-8f8a-1adcb2c8dc39"),
    ("uuid5(null)", None),
]
REJECTS = ["uuid5(1)", "uuid5('1', 'mine')"]


def call(value: Any, namespace: Any = None) -> str | None:
    """Compute the UUID."""
    if value is None:
        return None
    encoded("uuid5()", value)
    return str(uuid.uuid5(_space(namespace), value))


def _space(namespace: Any) -> uuid.UUID:
    if namespace is None:
        return uuid.NAMESPACE_URL
    try:
        return uuid.UUID(text("uuid5()", namespace))
    except ValueError:
        reject("uuid5(): the namespace is no UUID")
