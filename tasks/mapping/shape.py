"""What of a record is read: a tree of the fixed paths, and the Struct type that decodes just these.

A field that an expression takes as a whole, or that one expression takes as an object and another
as a list, is decoded untyped. Missing is null in expressions, so a field that is not there is None.
Of a list or an object whose length alone is asked for, what is in it is not decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import msgspec

from astrio.tasks.mapping.parser import parse_expression, parse_value
from astrio.tasks.mapping.syntax import Access, Call, Node, Search, Slice, sources, walk
from astrio.tasks.paths import Every, JsonPath, Step, compile_path

Steps = Sequence[Step | Slice]
_MEASURED: Any = None | bool | int | float | str | list[msgspec.Raw] | dict[str, msgspec.Raw]


@dataclass(slots=True, eq=False)
class Shape:
    """One value of a record, as far as it is read.

    Attributes:
        whole: all of it is read.
        measured: nothing but its length is read, as of a value that is read as a whole.
        fields: the shapes of its fields, where it is read as an object.
        items: the shape of its elements, where it is read as a list.
    """

    whole: bool = False
    measured: bool = False
    fields: dict[str, Shape] = field(default_factory=dict)
    items: Shape | None = None

    def add(self, steps: Steps, *, measured: bool = False) -> None:
        """Note that this path into the value is read, or that its length is."""
        if not steps or self.whole:
            known = self.measured or not (self.whole or self.fields or self.items)
            self._widen()
            self.measured = not steps and measured and known
        elif isinstance(steps[0], str):
            if self.items is not None:
                self._widen()
            else:
                below = self.fields.setdefault(steps[0], Shape())
                below.add(steps[1:], measured=measured)
        elif self.fields or steps[0] is Every.VALUE:
            self._widen()
        else:
            self.items = self.items or Shape()
            self.items.add(steps[1:])

    def _widen(self) -> None:
        self.whole, self.fields, self.items = True, {}, None

    def attribute(self, name: str) -> str:
        """Return the Struct's attribute for a field; field names may be any text."""
        return f"f{list(self.fields).index(name)}"

    def getter(self, path: JsonPath) -> Callable[[Any], Any]:
        """Return what finds a definite path's value in a Struct, None where there is none."""
        shape, names, rest = self, list[str](), path.steps
        while rest and not shape.whole and isinstance(rest[0], str):
            names.append(shape.attribute(rest[0]))
            shape, rest = shape.fields[rest[0]], rest[1:]
        if len(names) == 1 and not rest:
            return attrgetter(names[0])
        beyond = JsonPath("", rest)

        def find(value: Any) -> Any:
            for name in names:
                if value is None:
                    return None
                value = getattr(value, name)
            return beyond.first(value)

        return find

    def decoded(self) -> Any:
        """Return the type that decodes it, where it may be null."""
        if self.whole:
            return _MEASURED if self.measured else Any
        return (list[self.items.decoded()] if self.items else self.struct()) | None  # type: ignore[misc]  # made at run time

    def struct(self) -> type[msgspec.Struct]:
        """Return the type that decodes it, which is an object."""
        fields = [
            (self.attribute(name), below.decoded(), msgspec.field(name=name, default=None))
            for name, below in self.fields.items()
        ]
        return msgspec.defstruct("Record", fields, gc=False)


def shape_of(expressions: Iterable[str], values: Iterable[Any], paths: Iterable[str]) -> Shape:
    """Return what is read of each record.

    Args:
        expressions: such as a filter.
        values: of a mapping.
        paths: to single values; only their keys are followed.
    """
    shape = Shape()
    nodes = [*map(parse_expression, expressions), *map(parse_value, values)]
    for steps, measured in _read(nodes):
        shape.add(steps, measured=measured)
    for text in paths:
        steps = compile_path(text).steps
        plain = next((at for at, step in enumerate(steps) if not isinstance(step, str)), None)
        shape.add(steps[:plain])
    return shape


def _read(nodes: Iterable[Node]) -> Iterator[tuple[Steps, bool]]:
    """Yield the paths that expressions read, and whether only for the length of what is there.

    A JSONPath that searches reads the whole record.
    """
    for node in nodes:
        measured = {id(each.children[0]) for each in walk(node) if _measures(each)}
        for below in sources(node):
            steps = () if isinstance(below, Search) else below.steps
            yield steps, id(below) in measured


def _measures(node: Node) -> bool:
    """Whether a node asks for nothing but the length of a field."""
    if not isinstance(node, Call) or node.name != "length" or len(node.children) != 1:
        return False
    [read] = node.children
    return isinstance(read, Access) and all(isinstance(step, str) for step in read.steps)
