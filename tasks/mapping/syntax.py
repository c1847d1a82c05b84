"""The parsed form of an expression: a tree of frozen nodes, or the error in its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from astrio.tasks.paths import JsonPath, Step


class ExpressionError(ValueError):
    """The text is no expression; `offset` is the 0-based character where it goes wrong."""

    def __init__(self, message: str, offset: int = 0, hint: str | None = None) -> None:
        """Take what is wrong, where, and what to write instead."""
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Base of all nodes.

    Attributes:
        offset: 0-based character of the expression's text where the node's own sign stands.
        depth: how many nodes deep the tree below is, this one included.
        children: the nodes directly below.
    """

    offset: int = 0
    depth: int = 1
    children: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal(Node):
    """A constant: any JSON value."""

    value: Any


@dataclass(frozen=True, slots=True)
class Slice:
    """A step to the elements from `start` up to before `stop`, None: the list's own end."""

    start: int | None
    stop: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Access(Node):
    """Steps into the record, into the value of its only child, or into a bound variable."""

    steps: tuple[Step | Slice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search(Node):
    """A JSONPath that may find several values: always a list."""

    path: JsonPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Node):
    """A function's call; the children are its arguments."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Function(Node):
    """An argument that is computed for each element: `name -> child`."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Node):
    """An operator by its sign; `and`, `or` and `??` take any number of operands."""

    sign: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Items(Node):
    """A list of its children's values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields(Node):
    """An object: `names[i]` is the key of `children[i]`."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template(Node):
    """A text put together from its children's values."""


def sources(node: Node, bound: frozenset[str] = frozenset()) -> Iterator[Access | Search]:
    """Yield what reads the record, in the order of the text; bound variables are none of it."""
    if isinstance(node, Function):
        bound |= {node.name}
    if isinstance(node, Search) or (isinstance(node, Access) and not _is_bound(node, bound)):
        yield node
    for child in node.children:
        yield from sources(child, bound)


def _is_bound(node: Access, bound: frozenset[str]) -> bool:
    """Whether an access begins elsewhere than in the record."""
    return bool(node.children) or (bool(node.steps) and node.steps[0] in bound)


def walk(node: Node) -> Iterator[Node]:
    """Yield the node and all below it, in the order of the text."""
    yield node
    for child in node.children:
        yield from walk(child)
