"""`{{ expression }}` in the strings of a request, an address or a header.

A string that is nothing but one placeholder keeps the value's kind. A `$` before `{{` is just a
dollar sign; `${env:NAME}` and `${secret:NAME}` are left for the process that sends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NoReturn

from astrio.blocks.errors import ConfigurationError, RecordRejectedError
from astrio.tasks.mapping.check import ExpressionProblem, check_template, mistakes, unknown_names
from astrio.tasks.mapping.compile import guarded
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.generate import compile_node
from astrio.tasks.mapping.parser import parse_template
from astrio.tasks.mapping.syntax import ExpressionError, Node

__all__ = ["check_template", "render"]
_SHOWN = 80


def render(value: Any, scope: Mapping[str, Any], *, context: MappingContext | None = None) -> Any:
    """Return the value with the placeholders in its strings replaced, at any depth.

    Args:
        value: any JSON value; it stays as it is.
        scope: what expressions may name.
        context: the clock of `now()`; by default this moment.

    Raises:
        ConfigurationError: an expression is wrong, names what is not in scope, or fails.
    """
    if isinstance(value, str):
        return _rendered(value, scope, context) if "{{" in value else value
    if isinstance(value, dict):
        return {key: render(below, scope, context=context) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [render(below, scope, context=context) for below in value]
    return value


def _rendered(text: str, scope: Mapping[str, Any], context: MappingContext | None) -> Any:
    try:
        node, mistake = _parsed(text)
    except ExpressionError as error:
        _refuse(text, str(ExpressionProblem(None, error.message, error.offset, error.hint)))
    problem = mistake or next(unknown_names(node, scope.keys()), None)
    if problem is not None:
        _refuse(text, str(problem))
    if context is None:
        evaluate = _compiled(node, MappingContext(datetime.now(UTC)))
    else:
        evaluate = _known(text, context)
    try:
        return evaluate(dict(scope))
    except RecordRejectedError as error:
        _refuse(text, error.message)


def _refuse(text: str, reason: str) -> NoReturn:
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    raise ConfigurationError(f"{shown!r} cannot be filled in: {reason}") from None


@lru_cache(maxsize=256)
def _parsed(text: str) -> tuple[Node, ExpressionProblem | None]:
    node = parse_template(text)
    return node, next(mistakes(node), None)


@lru_cache(maxsize=256)
def _known(text: str, context: MappingContext) -> Callable[[Any], Any]:
    """Return the template as a function, compiled once for all records of a run."""
    return _compiled(_parsed(text)[0], context)


def _compiled(node: Node, context: MappingContext) -> Callable[[Any], Any]:
    return guarded(compile_node(node, context))
