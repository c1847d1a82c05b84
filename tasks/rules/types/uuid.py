"""type uuid: a UUID in its text form (RFC 9562): 32 hexadecimal digits with four hyphens."""

from __future__ import annotations

import re
from typing import Any

from astrio.tasks.mapping.values import kind
from astrio.tasks.rules.base import TypeRule

_FORM = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


class Uuid(TypeRule):
    """`type: uuid`, or `validator: uuid`."""

    name = "uuid"

    def reason(self, value: Any) -> str | None:
        """Refuse what is no UUID."""
        if not isinstance(value, str):
            return f"is {kind(value)}; a UUID is text"
        return None if _FORM.fullmatch(value) else "is no UUID"
