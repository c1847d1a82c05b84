"""in: the value is one of a list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from astrio.tasks.rules.base import Rule, RuleError
from astrio.tasks.rules.bounds import is_number
from astrio.tasks.rules.choices import Choices
from astrio.tasks.rules.settings import RuleSettings


class In(Rule):
    """`in: [open, closed]`, or `validator: "in:open,closed"`.

    In the short form, what is written as a number stands for the text and for the number.
    """

    name = "in"
    key = "in"

    def __init__(self, argument: Any, settings: RuleSettings) -> None:
        """Take the list."""
        super().__init__(argument, settings)
        try:
            self._choices = Choices(argument)
        except TypeError:
            raise RuleError("in lists texts, numbers, true or false.", self.key) from None
        if not self._choices:
            raise RuleError("in needs at least one value, e.g. in: [open, closed].", self.key)

    @classmethod
    def asked(cls, settings: RuleSettings) -> Any:
        """Ask by `in:`."""
        return settings.choices

    @classmethod
    def from_text(cls, text: str) -> Any:
        """Read the list, whose values are separated by commas."""
        parts = [part.strip() for part in text.split(",") if part.strip()]
        numbers = [float(part) if "." in part else int(part) for part in parts if is_number(part)]
        return (*parts, *numbers)

    def suspects(self, values: Sequence[Any]) -> Iterable[int]:
        """Pass the texts that are listed."""
        choices = self._choices
        return [place for place, value in enumerate(values) if value not in choices]

    def reason(self, value: Any) -> str | None:
        """Refuse what is not in the list."""
        return None if value in self._choices else "is none of the values allowed"
