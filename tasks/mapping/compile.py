"""Expressions and mappings, compiled once and applied to every record.

What expressions mean:

    missing     a missing path is null, and so is a path through what is no object or list
    wildcard    `items[*].sku` is a list, one element for each item, null where an item has none;
                a second wildcard flattens; null where `items` is no list. A JSONPath that may find
                several values (`$.items[?(@.x > 1)].sku`) is the list of those found.
    comparison  == and != compare null like any value; values of different kinds are never equal.
                < <= > >= with null are false; number with number, text with text (by code point),
                date with date; other pairs reject the record.
    arithmetic  with null is null; + - * / take numbers only. Whole numbers stay whole, of any
                length, but / always gives a float (a column keeps one type; `int(a / b)` asks for
                a whole number), or a decimal where an operand is one. Dividing by zero, and what
                leaves the range of floats, rejects the record.
    truth       null, false, 0, "", [] and {} count as false; `and`, `or`, `not` give true or false.
    a ?? b      b where a is null. It binds tighter than comparison, looser than + and -.
    no casts    texts are no numbers, true is not 1: what does not fit rejects the record. Only
                `concat`, `join` and templates write numbers, booleans and dates as text.
    templates   `{{ expression }}` in a text is replaced by its value, null by nothing; a text that
                is nothing but one placeholder keeps the value's kind.

A mapping's value that is no text is a constant; texts inside it may hold placeholders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, cached_property
from typing import Any, Protocol

from astrio.blocks.errors import ConfigurationError, RecordRejectedError
from astrio.tasks.batch import Batch, Page, Problem, Reject
from astrio.tasks.columns import key_of, key_places
from astrio.tasks.mapping.access import record_of
from astrio.tasks.mapping.check import (
    ExpressionProblem,
    check_expression,
    check_mapping,
    check_template,
)
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.generate import Compiled, compile_node, compile_rows
from astrio.tasks.mapping.parser import parse_expression, parse_value
from astrio.tasks.mapping.passthrough import PassThrough
from astrio.tasks.mapping.syntax import Node
from astrio.tasks.projected import Projected, picked

__all__ = [
    "CompiledMapping",
    "ExpressionProblem",
    "MappingContext",
    "check_expression",
    "check_mapping",
    "check_template",
    "compile_expression",
    "compile_mapping",
]

Explanation = tuple[str, Any, str | None]


class CompiledMapping(Protocol):
    """Turns source records into rows."""

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The targets in order; None: every batch has the columns of its own records."""
        ...

    def transform(self, page: Page) -> Batch:
        """Map a page; a record that cannot be mapped becomes a reject and stops nothing."""
        ...

    def explain(self, record: Any) -> list[Explanation]:
        """Return (target, value, problem or None) for each target of one record."""
        ...


def compile_mapping(
    mapping: dict[str, Any] | None, context: MappingContext, *, key: Sequence[str] = ()
) -> CompiledMapping:
    """Compile a mapping; without one, records pass through as they are.

    Args:
        mapping: target: expression, template or constant.
        context: the run's clock and zone.
        key: targets whose values identify a record among the rejects.

    Raises:
        ConfigurationError: the mapping has mistakes (`check_mapping` lists them).
    """
    if mapping is None:
        return PassThrough(key)
    _refuse(check_mapping(mapping))
    return _Mapping(mapping, context, key)


def compile_expression(text: str, context: MappingContext) -> Callable[[Any], Any]:
    """Compile one expression to a function of a record.

    The function raises RecordRejectedError where the expression fails, with the place in it.

    Raises:
        ConfigurationError: the expression has mistakes (`check_expression` lists them).
    """
    _refuse(check_expression(text))
    return Expression(parse_expression(text), context)


class Expression:
    """An expression as a function of a record."""

    def __init__(self, node: Node, context: MappingContext) -> None:
        """Take the parsed expression and the run's clock and zone."""
        self._evaluate = guarded(compile_node(node, context))
        self._shaped = cache(
            lambda shape, exact: compile_node(node, context, shape, exact=exact).function
        )

    def __call__(self, record: Any) -> Any:
        """Return the expression's value.

        Raises:
            RecordRejectedError: it fails on this record.
        """
        return self._evaluate(record)

    def over(self, records: Projected) -> Iterator[Any]:
        """Yield for each record the expression's value, or the error that rejects it."""
        function = self._shaped(records.shape, records.exact)
        for place, struct in enumerate(records.structs()):
            try:
                yield function(struct)
            except Exception:  # noqa: BLE001 (hostile data may raise anything)
                yield self._tried(records[place])

    def _tried(self, record: Any) -> Any:
        try:
            return self._evaluate(record)
        except RecordRejectedError as error:
            return error


def guarded(compiled: Compiled) -> Callable[[Any], Any]:
    """Return the compiled function, with every failure turned into RecordRejectedError."""
    function = compiled.function

    def evaluate(record: Any) -> Any:
        try:
            return function(record)
        except Exception as error:  # hostile data may raise anything
            raise compiled.rejected(error) from error

    return evaluate


def _refuse(problems: Iterable[ExpressionProblem]) -> None:
    listed = [str(problem) for problem in problems]
    if listed:
        raise ConfigurationError("\n".join(listed), advice="Correct the expressions.")


class _Mapping:
    def __init__(
        self, mapping: dict[str, Any], context: MappingContext, key: Sequence[str]
    ) -> None:
        self.columns = tuple(mapping)
        self._texts = [value if isinstance(value, str) else None for value in mapping.values()]
        self._nodes = [parse_value(value) for value in mapping.values()]
        self._context = context
        self._rows = cache(
            lambda shape, exact: compile_rows(self._nodes, context, shape, exact=exact)
        )
        self._key = key_places(self.columns, key)

    def transform(self, page: Page) -> Batch:
        rows = list[tuple[Any, ...]]()
        sources: Sequence[Any] = page.records
        if isinstance(sources, Projected):
            compute, records = self._rows(sources.shape, sources.exact), sources.structs()
        else:
            compute, records = self._rows(None, False), iter(sources)
        rejects: dict[int, Reject] = {}
        while len(rows) + len(rejects) < len(sources):
            try:
                compute(records, rows.append)
            except Exception:  # noqa: BLE001 (hostile data may raise anything)
                place = len(rows) + len(rejects)
                values = self._salvage(sources[place])
                if isinstance(values, Reject):
                    rejects[place] = values
                else:
                    rows.append(values)
        if rejects:
            kept = [place for place in range(len(sources)) if place not in rejects]
            sources = picked(sources, kept)
        if isinstance(sources, Projected):
            sources = sources.deferred()
        return Batch(page, self.columns, rows, sources, list(rejects.values()))

    def explain(self, record: Any) -> list[Explanation]:
        explanations: list[Explanation] = []
        for column, evaluate in zip(self.columns, self._each, strict=True):
            try:
                explanations.append((column, evaluate(record), None))
            except RecordRejectedError as error:
                explanations.append((column, None, error.message))
        return explanations

    @cached_property
    def _each(self) -> list[Callable[[Any], Any]]:
        """One function for each target, to find those that fail."""
        return [guarded(compile_node(node, self._context)) for node in self._nodes]

    def _salvage(self, record: Any) -> tuple[Any, ...] | Reject:
        """Compute the targets one by one: the row after all, or what is wrong with each."""
        try:
            record_of(record)
        except RecordRejectedError as error:
            return Reject(record, [Problem(None, "map", error.message)])
        values: list[Any] = []
        problems: list[Problem] = []
        for column, evaluate, text in zip(self.columns, self._each, self._texts, strict=True):
            try:
                values.append(evaluate(record))
            except RecordRejectedError as error:
                values.append(None)
                problems.append(_problem(column, text, error))
        if not problems:
            return tuple(values)
        return Reject(record, problems, key_of(values, self._key))


def _problem(target: str, text: str | None, error: RecordRejectedError) -> Problem:
    place = None if error.offset is None or text is None else error.offset + 1
    return Problem(target, "map", error.message, expression=text, position=place)
