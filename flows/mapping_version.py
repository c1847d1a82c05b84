"""Which version of mapping and rules a record has met."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from astrio.flows.integration import Integration

_LENGTH: Final = 12
_SHAPING: Final = {"map", "transform", "rules"}
"""The keys that decide what becomes of a record, as far as this version has them."""


def mapping_version(integration: Integration) -> str:
    """Return a short hash of what maps and judges records: the same text, the same version."""
    shaping = integration.model_dump(mode="json", include=_SHAPING, exclude_none=True)
    text = json.dumps(shaping, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]
