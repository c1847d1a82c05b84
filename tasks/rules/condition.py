"""`when:`, for which records an entry is."""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.compile import compile_expression
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.parser import parse_expression
from astrio.tasks.rules.expressions import names_read


class Condition:
    """A compiled expression over the mapped record.

    Attributes:
        text: the expression.
        names: the top-level names of the record that it reads; None: all.
    """

    def __init__(self, text: str, context: MappingContext) -> None:
        """Compile an expression without mistakes."""
        self.text = text
        self.names = names_read(parse_expression(text))
        self._evaluate = compile_expression(text, context)

    def holds(self, record: dict[str, Any]) -> bool:
        """Whether it is true for a record; null is not.

        Raises:
            RecordRejectedError: it fails on the record.
        """
        return bool(self._evaluate(record))
