"""type json: a text that holds a JSON document (RFC 8259); objects and lists are JSON already."""

from __future__ import annotations

from typing import Any

import msgspec

from astrio.tasks.mapping.values import kind
from astrio.tasks.rules.base import TypeRule


class Json(TypeRule):
    """`type: json`, or `validator: json`."""

    name = "json"

    def reason(self, value: Any) -> str | None:
        """Refuse what is no JSON."""
        if isinstance(value, dict | list):
            return None
        if not isinstance(value, str):
            return f"is {kind(value)}, not a text of JSON"
        try:
            msgspec.json.decode(value)
        except RecursionError:
            return "is JSON that is nested too deep"
        except ValueError:
            return "is no JSON"
        return None
