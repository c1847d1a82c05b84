"""exists_in: the value stands in a list, or in a column of a file in the project's folder.

A CSV file has a heading, unless its only column is meant; a JSON file is a list of values, a list
of objects (`column` is then their key), or an object, whose keys are the values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from astrio.tasks.mapping.values import LiteralError
from astrio.tasks.rules.base import Rule, RuleError
from astrio.tasks.rules.choices import Choices
from astrio.tasks.rules.listed import read_values
from astrio.tasks.rules.settings import KnownValues, RuleSettings


class ExistsIn(Rule):
    """`exists_in: {file: customers.csv, column: id}`, `exists_in: ids.json`, `exists_in: [1, 2]`.

    The short form names a file: `validator: "exists_in:ids.json"`.
    """

    name = "exists_in"
    key = "exists_in"

    def __init__(self, argument: Any, settings: RuleSettings) -> None:
        """Read the list, once."""
        super().__init__(argument, settings)
        self._choices = _choices(argument)

    @classmethod
    def from_text(cls, text: str) -> Any:
        """Take the name of the file."""
        return text.strip()

    def suspects(self, values: Sequence[Any]) -> Iterable[int]:
        """Pass what is listed."""
        choices = self._choices
        return [place for place, value in enumerate(values) if value not in choices]

    def reason(self, value: Any) -> str | None:
        """Refuse what is not listed."""
        return None if value in self._choices else "is not among the known values"


def _choices(argument: Any) -> Choices:
    known = KnownValues(file=argument, column=None) if isinstance(argument, str) else argument
    try:
        if isinstance(known, KnownValues):
            values, texts_only = read_values(known.file, known.column)
            return Choices(values, texts_only=texts_only)
        return Choices(known)
    except LiteralError as error:
        raise RuleError(str(error), ExistsIn.key) from None
    except TypeError:
        raise RuleError("exists_in lists texts, numbers, true or false.", ExistsIn.key) from None
