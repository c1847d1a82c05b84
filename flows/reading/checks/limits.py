"""`maxRejected`, `errors` and `retry.retryOnStatus`: counts, shares and HTTP statuses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node
from astrio.flows.reading.wording import shown

_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_STATUS = re.compile(r"[1-5]\d\d")


def check(root: Node) -> Iterator[Mistake]:
    """Yield shares that are none, and statuses that no server sends."""
    limit = root.at("max_rejected")
    if limit and isinstance(limit.value, int | str) and not _is_limit(limit.value):
        words = f'expected a count such as 10 or a share such as "5%", found {shown(limit)}'
        yield Mistake.at(limit.place, "max_rejected", words)
    errors = root.at("errors")
    for status, entry in ((errors.entries if errors else None) or {}).items():
        if not _STATUS.fullmatch(status):
            words = f"expected an HTTP status such as 404, found `{status}`"
            yield Mistake.at(entry.place, f"errors.{status}", words)
    retried = root.at("retry", "retry_on_status")
    for item in (retried.items if retried else None) or ():
        if isinstance(item.value, int) and not _STATUS.fullmatch(str(item.value)):
            words = f"expected an HTTP status such as 503, found {shown(item)}"
            yield Mistake.at(item.place, "retry.retry_on_status", words)


def _is_limit(value: int | str) -> bool:
    if isinstance(value, int):
        return value >= 0
    share = _SHARE.fullmatch(value.strip())
    return value.isdecimal() or (share is not None and float(share[1]) <= 100)
