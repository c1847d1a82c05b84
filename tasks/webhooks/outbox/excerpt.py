"""The beginning of a receiver's answer, for people who look for what went wrong."""

from __future__ import annotations

import re
from typing import Final

from astrio.blocks.redaction import redact

LONGEST: Final = 1000
_LOOKED_AT: Final = 4 * LONGEST
_BINARY: Final = re.compile(r"^(?:image|audio|video|font)/|octet-stream|zip|pdf|protobuf")
_CONTROL: Final = re.compile(r"[^\S \n]|[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def excerpt_of(content: bytes, content_type: str) -> str:
    """Return at most 1,000 characters of an answer, secrets masked; "" of what is no text."""
    if not content or _BINARY.search(content_type.lower()):
        return ""
    # More is masked than shown, so that no secret is cut off before it is recognised.
    text = _CONTROL.sub(" ", content[:_LOOKED_AT].decode(errors="replace"))
    return redact(text).strip()[:LONGEST]
