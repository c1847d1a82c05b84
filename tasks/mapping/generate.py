"""From expression trees to one compiled Python function.

The source is built from the tree alone: names are made up here, texts enter as Python literals
made by `repr`, and everything else is bound through the namespace, which holds no builtins.
Look-ups of fixed paths stand once each at the head of the function, shared by all expressions.

A line of the source that ends in `#@17` says that the next line computes what stands at character
17 of the expression; so a failure is found in the text at no cost to records that do not fail.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from astrio.blocks.errors import ApiAnswerError, RecordRejectedError
from astrio.tasks.mapping import access, operators, repetition, values
from astrio.tasks.mapping.catalogue import Function as MappingFunction
from astrio.tasks.mapping.catalogue import functions
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.emission import Emission
from astrio.tasks.mapping.finding import find_function
from astrio.tasks.mapping.lookups import Lookups
from astrio.tasks.mapping.sent import keeps_digits, plain
from astrio.tasks.mapping.shape import Shape
from astrio.tasks.mapping.shaped import ShapedLookups
from astrio.tasks.mapping.syntax import (
    Access,
    Call,
    Fields,
    Function,
    Items,
    Literal,
    Node,
    Operation,
    Search,
)

_FILE = "<mapping>"
_PLACE = re.compile(r"#@(\d+)$")
_SIGNS = {
    "<": "less",
    "<=": "less_or_equal",
    ">": "greater",
    ">=": "greater_or_equal",
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
}
_RUNTIME: dict[str, Any] = {
    "__builtins__": {},
    "str": str,
    "dict": dict,
    "list": list,
    "template": values.template,
    "equal": operators.equal,
    "counted": repetition.counted,
    "plain": plain,
    **{name: getattr(operators, name) for name in _SIGNS.values()},
    **{
        name: getattr(access, name)
        for name in (
            "record_of",
            "object_of",
            "attribute",
            "child",
            "element",
            "elements",
            "sliced",
        )
    },
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled function of a record, and where in the text each of its lines comes from."""

    function: Callable[[Any], Any]
    source: str
    places: dict[int, int]

    def rejected(self, error: Exception) -> RecordRejectedError:
        """Turn whatever the function raised into a rejection that names the place."""
        reason = error.message if isinstance(error, RecordRejectedError) else _unforeseen(error)
        offset = self._place(error)
        where = "" if offset is None else f" (column {offset + 1})"
        rejected = RecordRejectedError(reason + where)
        rejected.offset = offset
        return rejected

    def _place(self, error: Exception) -> int | None:
        place, trace = None, error.__traceback__
        while trace is not None:  # the innermost: what is computed for an element lies deeper
            if trace.tb_frame.f_code.co_filename == _FILE:
                place = self.places.get(trace.tb_lineno, place)
            trace = trace.tb_next
        return place


def _unforeseen(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "the value is nested too deep"
    if isinstance(error, ApiAnswerError):
        return "the JSONPath cannot be applied to the values that it finds"
    return f"the expression fails on this record ({type(error).__name__})"


def compile_nodes(nodes: Sequence[Node], context: MappingContext) -> Compiled:
    """Compile a function from a record to the tuple of the expressions' values."""
    generator = _Generator(context, None)
    values = "".join(f"{generator.source(node)}, " for node in nodes)
    return generator.compile(f"({values})")


def compile_rows(
    nodes: Sequence[Node],
    context: MappingContext,
    shape: Shape | None = None,
    *,
    exact: bool = False,
) -> Callable[[Iterator[Any], Callable[[tuple[Any, ...]], None]], None]:
    """Compile a function that takes records one by one and hands on the tuple of each.

    It stops at a record that fails, which is taken then, and can be called again for the rest.
    With a shape, the records are Structs of it; with `exact`, fractions in them remember their
    digits as sent.
    """
    generator = _Generator(context, shape, exact=exact)
    values = "".join(f"{generator.source(node)}, " for node in nodes)
    return generator.compile_loop(f"({values})")


def compile_node(
    node: Node, context: MappingContext, shape: Shape | None = None, *, exact: bool = False
) -> Compiled:
    """Compile a function from a record, or its shape, to one expression's value."""
    generator = _Generator(context, shape, exact=exact)
    return generator.compile(generator.source(node))


class _Generator:
    def __init__(
        self, context: MappingContext, shape: Shape | None, *, exact: bool = False
    ) -> None:
        self._context = context
        self._exact = exact
        self._namespace = dict(_RUNTIME)
        self._names = 0
        self._lookups = (
            Lookups(self._temporary) if shape is None else ShapedLookups(self._temporary, shape)
        )
        self._bound: dict[str, str] = {}  # variables of the functions around, by their names

    def compile(self, result: str) -> Compiled:
        body = "\n".join(f"    {line}" for line in (*self._lookups.lines, f"return ({result})"))
        source = f"def evaluate(record):\n{body}\n"
        exec(compile(source, _FILE, "exec"), self._namespace)  # noqa: S102 (made from the tree only)
        marks = (_PLACE.search(line) for line in source.split("\n"))
        places = {number: int(mark[1]) for number, mark in enumerate(marks, 2) if mark}
        return Compiled(self._namespace["evaluate"], source, places)

    def compile_loop(self, result: str) -> Callable[..., None]:
        body = "\n".join(f"        {line}" for line in (*self._lookups.lines, f"keep({result})"))
        source = f"def evaluate(records, keep):\n    for record in records:\n{body}\n"
        exec(compile(source, _FILE, "exec"), self._namespace)  # noqa: S102 (made from the tree only)
        return self._namespace["evaluate"]  # type: ignore[no-any-return]  # made just here

    def source(self, node: Node, *, digits: bool = False) -> str:
        """Return the source of a node's value: an atom, or an expression in its own brackets.

        With `digits`, fractions may remember theirs: the value is on its way to `decimal()`.
        """
        match node:
            case Literal():
                written = self._constant(node.value)
            case Access():
                written = self._access(node)
            case Function():
                written = self._function(node, digits=digits)
            case Search():
                written = _marked(node, f"{self._bind(node.path.values)}(record)")
            case Call():
                written = self._call(node, digits=digits)
            case Operation(sign="??"):
                parts = tuple(self.source(child, digits=digits) for child in node.children)
                written = Emission("", self._temporary, self._bind).first_given(parts)
            case Operation():
                written = self._operation(node)
            case _:
                written = self._composed(node)
        reads = self._exact and isinstance(node, Access | Search)
        return f"plain({written})" if reads and not digits else written

    def _access(self, node: Access) -> str:
        first = node.steps[0] if node.steps and not node.children else None
        if isinstance(first, str) and first in self._bound:
            return self._lookups.stepped(self._bound[first], node.steps[1:])
        base = self.source(node.children[0], digits=True) if node.children else None
        return self._lookups.access(node, base)

    def _function(self, node: Function, *, digits: bool) -> str:
        """Return the source of a function of one element, which counts what it computes."""
        allowance = f"spent = [{repetition.ALLOWANCE}]"
        if allowance not in self._lookups.lines:
            self._lookups.lines.append(allowance)
        around, name = self._bound, self._temporary()
        self._bound = {**around, node.name: name}
        value = self.source(node.children[0], digits=digits)
        self._bound = around
        return f"counted(spent, (lambda {name}: {value}))"

    def _composed(self, node: Node) -> str:
        """Return the source of a list, an object or a template."""
        parts = self._below(node)
        if isinstance(node, Items):
            return f"[{', '.join(parts)}]"
        if isinstance(node, Fields):
            pairs = zip(node.names, parts, strict=True)
            return "{" + ", ".join(f"{name!r}: {value}" for name, value in pairs) + "}"
        emit = functions()["concat"].emit or Emission.call
        return emit(Emission(_marked(node, "template"), self._temporary, self._bind), *parts)

    def _below(self, node: Node) -> list[str]:
        return [self.source(child) for child in node.children]

    def _temporary(self) -> str:
        self._names += 1
        return f"t{self._names}"

    def _bind(self, value: Any) -> str:
        self._names += 1
        self._namespace[f"c{self._names}"] = value
        return f"c{self._names}"

    def _constant(self, value: Any) -> str:
        if value is None or value.__class__ in (str, bool):
            return repr(value)
        if value.__class__ in (int, float) and value - value == 0:
            return repr(value) if value >= 0 else f"({value!r})"
        return self._bind(value)

    def _call(self, node: Call, *, digits: bool) -> str:
        function = find_function(node.name)
        assert function is not None  # the expression has been checked
        name = f"f_{node.name}"
        self._namespace[name] = function.bound(self._context)
        emission = Emission(_marked(node, name), self._temporary, self._bind)
        arguments = [
            self._argument(function, place, child, digits=digits)
            for place, child in enumerate(node.children)
        ]
        return (function.emit or Emission.call)(emission, *arguments)

    def _argument(self, function: MappingFunction, place: int, node: Node, *, digits: bool) -> str:
        if function.prepare is not None and isinstance(node, Literal):
            prepared = function.prepare(place, node.value)
            if prepared is not node.value:
                return self._bind(prepared)
        return self.source(node, digits=keeps_digits(function.name, place, digits=digits))

    def _operation(self, node: Operation) -> str:
        match node.sign:
            case "and" | "or":
                return f"(True if {self._condition(node)} else False)"
            case "not":
                return self._condition(node)
            case "==" | "!=":
                return self._equality(node)
            case sign:
                return _marked(node, f"{_SIGNS[sign]}({', '.join(self._below(node))})")

    def _condition(self, node: Node) -> str:
        """Return the source of what Python may take for true or false in the node's place."""
        if not isinstance(node, Operation) or node.sign not in ("and", "or", "not"):
            return self.source(node)
        conditions = [self._condition(child) for child in node.children]
        if node.sign == "not":
            return f"(not {conditions[0]})"
        return f"({f' {node.sign} '.join(conditions)})"

    def _equality(self, node: Operation) -> str:
        left, right = node.children
        if isinstance(left, Literal):
            left, right = right, left
        differs = node.sign == "!="
        if isinstance(right, Literal) and not isinstance(left, Literal):
            if right.value is None or isinstance(right.value, bool):
                return f"({self.source(left)} {'is not' if differs else 'is'} {right.value!r})"
            if isinstance(right.value, str):
                return f"({self.source(left)} {node.sign} {right.value!r})"
        compared = f"equal({self.source(left)}, {self.source(right)})"
        return f"(not {compared})" if differs else compared


def _marked(node: Node, call: str) -> str:
    return f" #@{node.offset}\n{call}"
