"""The functions of the mapping language, found in their package without a registry.

A function is one module in `astrio.tasks.mapping.functions`:

    its docstring    `name(argument, …): what it does`, as `astrio functions` prints it
    call             computes the value; a keyword-only `context` asks for the run's clock and zone
    EXAMPLES         pairs of an expression and its value, run by the tests
    REJECTS          optional: expressions that reject their record, run by the tests
    prepare          optional: what takes the place of an argument that is a constant, such as a
                     compiled pattern; raises LiteralError where the constant is wrong
    emit             optional: returns Python source in place of a call (see `Emission`), for what
                     is lazy or cheap

An underscore at the end of the module's name is no part of the function's name: `if_` is `if`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from types import ModuleType
from typing import Any

from astrio.blocks.settings import modules_of
from astrio.tasks.mapping import functions as package
from astrio.tasks.mapping.context import MappingContext


@dataclass(frozen=True)
class Function:
    """One function of the mapping language.

    Attributes:
        name: as expressions call it.
        usage: how it is called, e.g. `lower(text)`.
        summary: what it does, in one sentence.
        details: what else there is to know, or "".
        examples: pairs of an expression and its value.
        rejects: expressions that reject their record.
        least: how many arguments it needs.
        most: how many it takes; None: any number.
        repeats: the places of arguments that are computed for each element: `item -> value`.
        origin: where it is written, "" if it is the language's own.
    """

    name: str
    usage: str
    summary: str
    details: str
    examples: Sequence[tuple[str, Any]]
    rejects: Sequence[str]
    least: int
    most: int | None
    call: Callable[..., Any]
    emit: Callable[..., str] | None
    needs_context: bool
    repeats: frozenset[int] = frozenset()
    prepare: Callable[[int, Any], Any] | None = None
    origin: str = ""

    def bound(self, context: MappingContext) -> Callable[..., Any]:
        """Return what computes a call in this context."""
        return partial(self.call, context=context) if self.needs_context else self.call

    def refusal(self, arguments: int) -> str | None:
        """Return why it cannot be called with so many arguments, None if it can."""
        if self.least <= arguments and (self.most is None or arguments <= self.most):
            return None
        wanted = str(self.least) if self.least == self.most else f"{self.least} to {self.most}"
        wanted = f"at least {self.least}" if self.most is None else wanted
        plural = "" if wanted.endswith(" 1") or wanted == "1" else "s"
        return f"{self.name}() takes {wanted} argument{plural}, not {arguments}."


@cache
def functions() -> dict[str, Function]:
    """Return every function by its name, in alphabetical order."""
    found = [_read(module) for module in modules_of(package)]
    return {function.name: function for function in sorted(found, key=lambda each: each.name)}


def function_names() -> list[str]:
    """Return the names of all functions, in alphabetical order."""
    return list(functions())


def _read(module: ModuleType) -> Function:
    head, _, details = inspect.cleandoc(module.__doc__ or "").partition("\n\n")
    usage, _, summary = head.partition(": ")
    parameters = inspect.signature(module.call).parameters.values()
    positional = [each for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]
    unlimited = any(each.kind is each.VAR_POSITIONAL for each in parameters)
    return Function(
        name=module.__name__.rpartition(".")[2].rstrip("_"),
        usage=usage,
        summary=summary[:1].upper() + summary[1:],
        details=details,
        examples=module.EXAMPLES,
        rejects=getattr(module, "REJECTS", ()),
        least=sum(each.default is each.empty for each in positional),
        most=None if unlimited else len(positional),
        call=module.call,
        emit=getattr(module, "emit", None),
        needs_context=any(each.kind is each.KEYWORD_ONLY for each in parameters),
        repeats=frozenset(
            place
            for place, each in enumerate(positional)
            if str(each.annotation).startswith("Callable[")
        ),
        prepare=getattr(module, "prepare", None),
    )
