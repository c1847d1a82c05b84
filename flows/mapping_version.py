"""Which version of mapping and rules a record has met."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from astrio.flows.integration import Integration
from astrio.tasks.python.references import source_of

_LENGTH: Final = 12
_SHAPING: Final = {"map", "transform", "rules"}
"""The keys that decide what becomes of a record, as far as this version has them."""


def mapping_version(integration: Integration) -> str:
    """Return a short hash of what maps and judges records: the same text, the same version.

    Of a function or model of the user's own, the text of its module counts as well.
    """
    shaping = integration.model_dump(mode="json", include=_SHAPING, exclude_none=True)
    references = (integration.transform, integration.rules)
    own = [source_of(each) for each in references if isinstance(each, str)]
    text = json.dumps([shaping, own] if own else shaping, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]
