"""From the text of expressions and templates to their trees, or to a message that helps."""

from __future__ import annotations

import re
from typing import Any

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from astrio.tasks.mapping.builder import grammar, limited
from astrio.tasks.mapping.syntax import ExpressionError, Fields, Items, Literal, Node, Template

MAX_CHARACTERS = 4_000
PLACEHOLDER = re.compile(
    r"""\{\{((?:[^'"{}]|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\{(?!\{)|\}(?!\}))*)\}\}""", re.DOTALL
)
_HINTS = {
    "=": "Compare with ==.",
    "&": "Write `and`.",
    "|": "Write `or`.",
    "!": "Write `not`, or != to compare.",
    "[": "Close the bracket, and the quotes inside it.",
    "?": "Write if(condition, then, else), or ?? for a fallback.",
    "{": "A placeholder is written {{ expression }}.",
    "\u201c": "Quote texts with ' or \".",
    "\u2018": "Quote texts with ' or \".",
}


def parse_expression(text: str) -> Node:
    """Parse one expression.

    Raises:
        ExpressionError: it is none, is longer than 4,000 characters or nested deeper than 64.
    """
    if len(text.strip()) > MAX_CHARACTERS:
        raise ExpressionError(f"The expression is longer than {MAX_CHARACTERS:,} characters.")
    try:
        return grammar().parse(text)  # type: ignore[return-value]  # the transformer makes nodes
    except UnexpectedInput as error:
        raise _explained(error, text) from None


def parse_value(value: Any) -> Node:
    """Parse a mapping's value: an expression, a template, or a constant that may hold templates.

    Raises:
        ExpressionError: see `parse_expression`.
    """
    if isinstance(value, str) and not PLACEHOLDER.search(value):
        return parse_expression(value)
    return parse_template(value)


def parse_template(value: Any) -> Node:
    """Parse a value in which only `{{ expression }}` is no constant, at any depth of it.

    Raises:
        ExpressionError: see `parse_expression`.
    """
    if isinstance(value, str):
        return _template(value)
    if isinstance(value, dict):
        children = tuple(parse_template(item) for item in value.values())
        if not _constant(children):
            names = tuple(str(name) for name in value)
            return limited(Fields(names=names, children=children))
    if isinstance(value, list | tuple):
        children = tuple(parse_template(item) for item in value)
        if not _constant(children):
            return limited(Items(children=children))
    return Literal(value=value)


def _constant(nodes: tuple[Node, ...]) -> bool:
    return all(isinstance(node, Literal) for node in nodes)


def _template(text: str) -> Node:
    parts: list[Node] = []
    end = 0
    for match in PLACEHOLDER.finditer(text):
        parts += _plain(text, end, match.start())
        end = match.end()
        # Blanks keep the place, so that every offset counts from the template's start.
        parts.append(parse_expression(" " * match.start(1) + match.group(1)))
    parts += _plain(text, end, len(text))
    if not parts:
        return Literal(value="")
    if len(parts) == 1 and (isinstance(parts[0], Literal) or end == len(text)):
        return parts[0]
    return limited(Template(children=tuple(parts)))


def _plain(text: str, start: int, end: int) -> list[Node]:
    opened = text.find("{{", start, end)
    if opened >= 0:
        raise ExpressionError(
            "The placeholder never ends.", opened, "A placeholder is written {{ expression }}."
        )
    return [Literal(value=text[start:end])] if start < end else []


def _explained(error: UnexpectedInput, text: str) -> ExpressionError:
    offset = error.pos_in_stream if error.pos_in_stream is not None else len(text)
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        empty = "The expression is empty." if not text.strip() else "The expression ends too early."
        return ExpressionError(empty, len(text.rstrip()))
    sign = text[offset : offset + 1]
    if isinstance(error, UnexpectedCharacters) and sign in "'\"":
        return ExpressionError("The text's closing quote is missing.", offset)
    found = str(error.token) if isinstance(error, UnexpectedToken) else sign
    return ExpressionError(f"Unexpected {found!r}.", offset, _HINTS.get(sign))
