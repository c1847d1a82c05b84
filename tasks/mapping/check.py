"""Finding the mistakes in expressions and mappings before anything is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.columns import clashes, column_name, is_reserved
from astrio.tasks.mapping.catalogue import Function as MappingFunction
from astrio.tasks.mapping.finding import find_function, suggestion
from astrio.tasks.mapping.parser import (
    MAX_CHARACTERS,
    parse_expression,
    parse_template,
    parse_value,
)
from astrio.tasks.mapping.syntax import (
    Call,
    ExpressionError,
    Function,
    Literal,
    Node,
    Search,
    sources,
    walk,
)
from astrio.tasks.mapping.values import LiteralError


@dataclass(frozen=True)
class ExpressionProblem:
    """One mistake.

    Attributes:
        target: the mapping's target, or the place of a template within its value; None: neither.
        message: what is wrong, a sentence.
        offset: 0-based character of the expression's text; None: the target itself is wrong.
        suggestion: what to write instead, if that can be told.
    """

    target: str | None
    message: str
    offset: int | None = 0
    suggestion: str | None = None

    def __str__(self) -> str:
        """Return place, message and suggestion as one line."""
        where = "" if self.target is None else f"{self.target}: "
        place = "" if self.offset is None else f" (column {self.offset + 1})"
        hint = "" if self.suggestion is None else f" {self.suggestion}"
        return f"{where}{self.message}{place}{hint}"


def check_expression(text: str) -> list[ExpressionProblem]:
    """Return every mistake in one expression."""
    try:
        node = parse_expression(text)
    except ExpressionError as error:
        return [_syntax(error)]
    return list(mistakes(node))


def check_mapping(mapping: dict[str, Any]) -> list[ExpressionProblem]:
    """Return every mistake in a mapping's targets and values."""
    if not mapping:
        return [ExpressionProblem(None, "The map has no targets.", None)]
    found = [problem for target in mapping for problem in _target(target)]
    for target, earlier in clashes(mapping):
        found.append(
            ExpressionProblem(
                target,
                f"The target gives the same column as {earlier}: {column_name(target)}.",
                None,
                "Name one of them differently.",
            )
        )
    for target, value in mapping.items():
        found += (replace(problem, target=target) for problem in _value(value))
    return found


def check_template(value: Any, known: Collection[str] | None = None) -> list[ExpressionProblem]:
    """Return every mistake in the `{{ expression }}` placeholders of a value, at any depth.

    Args:
        value: any JSON value.
        known: the names that expressions may begin with; None: any.
    """
    return list(_templates(value, known, ""))


def mistakes(node: Node) -> Iterator[ExpressionProblem]:
    """Yield what is wrong in a parsed expression: unknown functions, wrong arguments."""
    for below in walk(node):
        if not isinstance(below, Call):
            continue
        function = find_function(below.name)
        if function is None:
            message = f"There is no function {below.name}()."
            yield ExpressionProblem(None, message, below.offset, suggestion(below.name))
        elif refusal := function.refusal(len(below.children)):
            usage = f"Its form is {function.usage}."
            yield ExpressionProblem(None, refusal, below.offset, usage)
        else:
            yield from _arguments(function, below)


def _arguments(function: MappingFunction, call: Call) -> Iterator[ExpressionProblem]:
    for place, argument in enumerate(call.children):
        if isinstance(argument, Function) is not (place in function.repeats):
            wanted = "a function: name -> value" if place in function.repeats else "no function"
            message = f"Argument {place + 1} of {function.name}() is {wanted}."
            hint = f"Its form is {function.usage}."
            yield ExpressionProblem(None, message, argument.offset, hint)
        elif function.prepare is not None and isinstance(argument, Literal):
            try:
                function.prepare(place, argument.value)
            except LiteralError as error:
                yield ExpressionProblem(None, str(error), argument.offset)
            except ConfigurationError:
                pass  # a secret that is not set here is missed where the mapping runs


def unknown_names(node: Node, known: Collection[str]) -> Iterator[ExpressionProblem]:
    """Yield each top-level name that is not among the known ones."""
    listed = ", ".join(sorted(known)) or "none"
    for below in sources(node):
        steps = below.path.steps if isinstance(below, Search) else below.steps
        name = steps[0] if steps else None
        if name in known or (name is None and not isinstance(below, Search)):
            continue
        close = get_close_matches(str(name), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"Known names: {listed}."
        yield ExpressionProblem(None, f"Nothing is called {name} here.", below.offset, hint)


def _syntax(error: ExpressionError) -> ExpressionProblem:
    return ExpressionProblem(None, error.message, error.offset, error.hint)


def _target(target: str) -> Iterator[ExpressionProblem]:
    if not target or not all(part.strip() for part in target.split(".")):
        yield ExpressionProblem(
            target,
            "The target's name, or a part of it between dots, is empty.",
            None,
            "Write e.g. customer.full_name.",
        )
    elif is_reserved(target):
        yield ExpressionProblem(
            target, "Columns that begin with _astrio_ are astrio's own.", None, "Rename the target."
        )


def _value(value: Any) -> Iterator[ExpressionProblem]:
    if isinstance(value, str) and len(value.strip()) > MAX_CHARACTERS:
        yield ExpressionProblem(None, f"The text is longer than {MAX_CHARACTERS:,} characters.")
        return
    try:
        node = parse_value(value)
    except ExpressionError as error:
        yield _syntax(error)
        return
    yield from mistakes(node)


def _templates(
    value: Any, known: Collection[str] | None, place: str
) -> Iterator[ExpressionProblem]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _templates(below, known, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list | tuple):
        for index, below in enumerate(value):
            yield from _templates(below, known, f"{place}[{index}]")
    elif isinstance(value, str):
        for problem in _template(value, known):
            yield replace(problem, target=place or None)


def _template(text: str, known: Collection[str] | None) -> Iterator[ExpressionProblem]:
    try:
        node = parse_template(text)
    except ExpressionError as error:
        yield _syntax(error)
        return
    yield from mistakes(node)
    if known is not None:
        yield from unknown_names(node, known)
