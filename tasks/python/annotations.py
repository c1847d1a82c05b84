"""What the type of a parameter says about the arguments that it takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

_WORDS: Final[dict[type, str]] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    Decimal: "a decimal",
    datetime: "a date and time",
    date: "a date",
    list: "a list",
    dict: "an object",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a user's function.

    Attributes:
        name: as written.
        types: what it takes; empty: anything.
        nullable: it takes null.
        wanted: what it takes, in words.
    """

    name: str
    types: tuple[type, ...] = ()
    nullable: bool = False
    wanted: str = ""

    def takes(self, value: Any) -> bool:
        """Whether a value that is not null may be passed; true and false are no numbers."""
        if not self.types:
            return True
        if isinstance(value, bool):
            return bool in self.types
        return isinstance(value, self.types) or (isinstance(value, int) and float in self.types)


def parameters_of(function: Callable[..., Any]) -> Iterator[tuple[inspect.Parameter, Parameter]]:
    """Yield each parameter of a function with what its type says."""
    try:
        hints = get_type_hints(function)
    except Exception:  # noqa: BLE001 (a name that only a type checker sees may raise anything)
        hints = {}
    for each in inspect.signature(function).parameters.values():
        yield each, _parameter(each.name, hints.get(each.name, Any))


def _parameter(name: str, hint: Any) -> Parameter:
    several = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    given = [get_origin(each) or each for each in several if each is not NoneType]
    known = tuple(each for each in given if each in _WORDS)
    types = known if len(known) == len(given) else ()
    wanted = " or ".join(_WORDS[each] for each in types)
    return Parameter(name, types, NoneType in several, wanted)
