"""The transformer that makes an expression's nodes while the grammar is parsed."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from lark import Lark, Token, Transformer, v_args

from astrio.tasks.mapping.syntax import (
    Access,
    Call,
    ExpressionError,
    Fields,
    Function,
    Items,
    Literal,
    Node,
    Operation,
    Search,
    Slice,
)
from astrio.tasks.paths import Every, PathSyntaxError, Step, compile_path

N = TypeVar("N", bound=Node)
MAX_DEPTH = 64
_ESCAPE = re.compile(r'\\(.)|"', re.DOTALL)


@cache
def grammar() -> Lark:
    """Return the parser, which makes nodes rather than a parse tree."""
    text = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer="contextual", transformer=_Builder())


def limited(node: N) -> N:
    """Return the node with its depth set."""
    below = max((child.depth for child in node.children), default=0)
    here = len(node.steps) if isinstance(node, Access) else 1
    if below + here > MAX_DEPTH:
        message = f"The expression is nested deeper than {MAX_DEPTH} levels."
        raise ExpressionError(message, node.offset)
    return replace(node, depth=below + here)


def _unquoted(token: Token) -> str:
    def plain(match: re.Match[str]) -> str:
        return {"\\'": "'", '"': '\\"'}.get(match.group(), match.group())

    try:
        text = str(json.loads(f'"{_ESCAPE.sub(plain, token[1:-1])}"', strict=False))
        text.encode()
    except json.JSONDecodeError as error:
        place = _at(token) + error.pos
        raise ExpressionError("Unknown escape.", place, r"Write \\ for a backslash.") from None
    except UnicodeEncodeError:
        message = "Half of a surrogate pair is no character."
        raise ExpressionError(message, _at(token)) from None
    return text


@v_args(inline=True)
class _Builder(Transformer[Token, Node]):
    """Makes the nodes while parsing; each method is named after a rule of the grammar."""

    def number(self, token: Token) -> Node:
        value = int(token) if token.isdigit() else float(token)
        if not math.isfinite(value):
            raise ExpressionError("The number is too large.", _at(token))
        return Literal(value=value, offset=_at(token))

    def string(self, token: Token) -> Node:
        return Literal(value=_unquoted(token), offset=_at(token))

    def constant(self, token: Token) -> Node:
        return Literal(value=json.loads(token), offset=_at(token))

    def jsonpath(self, token: Token) -> Node:
        start = _at(token)
        try:
            path = compile_path(str(token))
        except PathSyntaxError as error:
            message = f"The JSONPath is wrong: {error.reason}."
            raise ExpressionError(message, start + error.offset) from None
        if path.definite:
            return limited(Access(steps=path.steps, offset=start))
        return Search(path=path, offset=start)

    def items(self, *children: Node | None) -> Node:
        return _folded(limited(Items(children=_given(children))))

    def field(self, name: Token, value: Node) -> tuple[str, Node, int]:
        return (_unquoted(name) if name.type == "STRING" else str(name)), value, _at(name)

    def fields(self, *entries: tuple[str, Node, int] | None) -> Node:
        given = [entry for entry in entries if entry is not None]
        names = tuple(name for name, _, _ in given)
        for place, (name, _, offset) in enumerate(given):
            if name in names[:place]:
                raise ExpressionError(f"The key {name} is there already.", offset)
        return _folded(limited(Fields(names=names, children=tuple(value for _, value, _ in given))))

    def function(self, name: Token, body: Node) -> Node:
        return limited(Function(name=str(name), children=(body,), offset=_at(name)))

    def root(self, name: Token) -> Node:
        return Access(steps=(str(name),), offset=_at(name))

    def call(self, name: Token, *arguments: Node | None) -> Node:
        offset = _at(name)
        return limited(Call(name=str(name), children=_given(arguments), offset=offset))

    def group(self, inner: Node) -> Node:
        if inner.depth == MAX_DEPTH:
            raise ExpressionError("The parentheses are nested too deep.", inner.offset)
        return replace(inner, depth=inner.depth + 1)

    def key(self, base: Node, name: Token) -> Node:
        return _stepped(base, str(name))

    def quoted_key(self, base: Node, name: Token) -> Node:
        return _stepped(base, _unquoted(name))

    def index(self, base: Node, place: Token) -> Node:
        return _stepped(base, int(place))

    def every(self, base: Node) -> Node:
        return _stepped(base, Every.ITEM)

    def part(self, base: Node, start: Token | None, stop: Token | None) -> Node:
        return _stepped(base, Slice(_whole(start), _whole(stop)))

    def minus(self, sign: Token, operand: Node) -> Node:
        if isinstance(operand, Literal) and operand.value.__class__ in (int, float):
            return Literal(value=-operand.value, offset=_at(sign))
        return _operation(sign, Literal(value=0), operand)

    def negation(self, sign: Token, operand: Node) -> Node:
        return _operation(sign, operand)

    def binary(self, left: Node, sign: Token, right: Node) -> Node:
        return _operation(sign, left, right)

    def all_of(self, first: Node, sign: Token, *rest: Any) -> Node:
        return _operation(sign, first, *rest[::2])

    def any_of(self, first: Node, sign: Token, *rest: Any) -> Node:
        return _operation(sign, first, *rest[::2])

    def fallback(self, *operands: Node) -> Node:
        return limited(Operation(sign="??", children=operands, offset=operands[0].offset))


def _at(token: Token) -> int:
    return token.start_pos or 0


def _given(children: tuple[Node | None, ...]) -> tuple[Node, ...]:
    return tuple(child for child in children if child is not None)


def _whole(token: Token | None) -> int | None:
    return None if token is None else int(token)


def _operation(sign: Token, *operands: Node) -> Node:
    return limited(Operation(sign=str(sign), children=operands, offset=_at(sign)))


def _folded(node: Items | Fields) -> Node:
    """Return a literal where nothing in a list or object depends on the record."""
    values = [child.value for child in node.children if isinstance(child, Literal)]
    if len(values) < len(node.children):
        return node
    value = values if isinstance(node, Items) else dict(zip(node.names, values, strict=True))
    return Literal(value=value, depth=node.depth)


def _stepped(base: Node, step: Step | Slice) -> Node:
    if isinstance(base, Access):
        return limited(replace(base, steps=(*base.steps, step)))
    return limited(Access(steps=(step,), children=(base,), offset=base.offset))
