"""A vendor's own error message, cut out of its error answer; never the payload."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from astrio.blocks.redaction import redact

_LONGEST = 200
_FIELDS = ("message", "error_description", "detail", "error_message", "title", "error", "errors")


def vendor_message(content: bytes, content_type: str) -> str:
    """Return at most 200 characters of one line, redacted; "" if the answer holds no message."""
    if "html" in content_type or content.lstrip()[:1] == b"<":
        return ""
    try:
        found = _message(msgspec.json.decode(content), depth=3)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        found = content.decode(errors="replace") if content_type.startswith("text/plain") else ""
    line = redact(" ".join(re.sub(r"[^\S ]|[^ -~\u00a0-\U0010ffff]", " ", found).split()))
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _message(value: Any, depth: int) -> str:
    if isinstance(value, str):
        return value
    if not depth:
        return ""
    if isinstance(value, list):
        return _message(value[0], depth - 1) if value else ""
    if isinstance(value, dict):
        found = (_message(value[name], depth - 1) for name in _FIELDS if name in value)
        return next(filter(None, found), "")
    return ""
