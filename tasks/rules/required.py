"""required: the value must be there; null and the empty text are not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from astrio.tasks.rules.base import FIRST, Rule
from astrio.tasks.rules.settings import RuleSettings


class Required(Rule):
    """`required: true`, or `validator: required`."""

    name = "required"
    key = "required"
    order = FIRST
    sees_null = True

    @classmethod
    def asked(cls, settings: RuleSettings) -> Any:
        """Ask by `required: true`; `false` asks for nothing."""
        return settings.required or None

    def suspects(self, values: Sequence[Any]) -> Iterable[int]:
        """Pass whatever is there."""
        return [place for place, value in enumerate(values) if value is None or value == ""]

    def reason(self, value: Any) -> str | None:
        """Refuse null and the empty text."""
        return "is required" if value is None or value == "" else None
