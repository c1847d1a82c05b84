"""Expressions over the mapped record in `expr:`, `when:` and `message:`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Any

from astrio.tasks.mapping.check import ExpressionProblem, mistakes
from astrio.tasks.mapping.parser import parse_expression, parse_template
from astrio.tasks.mapping.syntax import Access, ExpressionError, Node, sources


def expression_mistakes(
    text: str, targets: Collection[str] | None, *, template: bool = False
) -> list[ExpressionProblem]:
    """Return every mistake in an expression over the mapped record.

    Args:
        text: the expression, or with `template` a text with placeholders.
        targets: the mapping's targets; None: records pass through, any name may be in them.
        template: whether only `{{ expression }}` is an expression.
    """
    try:
        node = parse_template(text) if template else parse_expression(text)
    except ExpressionError as error:
        return [ExpressionProblem(None, error.message, error.offset, error.hint)]
    found = list(mistakes(node))
    return found if targets is None else [*found, *_unknown(node, targets)]


def names_read(node: Node) -> frozenset[str] | None:
    """Return the top-level names that an expression reads, None if it may read any."""
    names: set[str] = set()
    for below in sources(node):
        first = below.steps[0] if isinstance(below, Access) and below.steps else None
        if not isinstance(first, str):
            return None
        names.add(first)
    return frozenset(names)


def reads(node: Node, field: str) -> bool:
    """Whether an expression reads a field, a part of it, or what holds it."""
    names = field.replace("[", ".").split(".")
    for below in sources(node):
        steps = below.steps if isinstance(below, Access) else ()
        pairs = zip(names, steps, strict=False)
        if steps[:1] == (field,) or all(
            name == step for name, step in pairs if isinstance(step, str)
        ):
            return True
    return False


def _unknown(node: Node, targets: Collection[str]) -> Iterator[ExpressionProblem]:
    tree: dict[str, Any] = {}
    for target in targets:
        inside = tree
        for step in target.split("."):
            inside = inside.setdefault(step, {})
    leaves = {tuple(target.split(".")) for target in targets}
    for below in sources(node):
        steps = below.steps if isinstance(below, Access) else below.path.steps
        wrong = _first_unknown(steps, tree, leaves)
        if wrong is not None:
            close = get_close_matches(wrong, targets, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(targets)}."
            yield ExpressionProblem(None, f"The map has no target {wrong}.", below.offset, hint)


def _first_unknown(
    steps: Collection[Any], tree: dict[str, Any], leaves: set[tuple[str, ...]]
) -> str | None:
    """Return the path up to the step at which it leaves the targets, None if it does not."""
    path: tuple[str, ...] = ()
    for step in steps:
        if path in leaves or not isinstance(step, str):
            return None
        path = (*path, step)
        if step not in tree:
            return ".".join(path)
        tree = tree[step]
    return None
