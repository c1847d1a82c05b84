"""expr: an expression over the mapped record is true; it may compare several fields."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from astrio.tasks.mapping.compile import compile_expression
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.parser import parse_expression
from astrio.tasks.mapping.syntax import ExpressionError
from astrio.tasks.rules.base import Rule, RuleError
from astrio.tasks.rules.expressions import names_read
from astrio.tasks.rules.settings import RuleSettings


class Expr(Rule):
    """`expr: end >= start`, or `validator: "expr:end >= start"`."""

    name = "expr"
    key = "expr"
    sees_record: ClassVar[bool] = True

    def __init__(self, argument: Any, settings: RuleSettings) -> None:
        """Parse the expression; it is compiled once the run's clock is known."""
        super().__init__(argument, settings)
        self.expression = argument
        try:
            self.names = names_read(parse_expression(argument))
        except ExpressionError as error:
            raise RuleError(error.message, self.key, error.offset) from None

    @classmethod
    def from_text(cls, text: str) -> Any:
        """Take all that follows the colon."""
        return text

    def begin(self, context: MappingContext) -> None:
        """Compile the expression."""
        self._holds = compile_expression(self.argument, context)

    def suspects(self, values: Sequence[Any]) -> Iterable[int]:
        """Pass the records for which it is true."""
        holds = self._holds
        return [place for place, record in enumerate(values) if not holds(record)]

    def reason(self, value: Any) -> str | None:
        """Refuse the record unless the expression is true; null is not."""
        return None if self._holds(value) else f"does not hold: {self.argument}"
