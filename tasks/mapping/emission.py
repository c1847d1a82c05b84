"""How a function may turn its call into Python source instead of being called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Emission:
    """Handed to a function's `emit(emission, *sources)`, which returns an expression's source.

    Each source may be used once only. They are evaluated where they stand, so one inside a
    conditional expression is lazy. What is returned must stand in brackets of its own.
    """

    def __init__(self, call: str, temporary: Callable[[], str], bind: Callable[[Any], str]) -> None:
        """Take the source in front of the call's bracket, and what makes up names.

        Args:
            call: the source.
            temporary: makes up an unused name.
            bind: gives a name to an object that the source is to use.
        """
        self._call = call
        self.temporary = temporary
        self.bind = bind

    def call(self, *sources: str) -> str:
        """Return the source of a call of the function itself: the general, slower case."""
        return f"{self._call}({', '.join(sources)})"

    def text_method(self, source: str, method: str) -> str:
        """Return the source of a method of texts; what is no text goes to the function itself."""
        name = self.temporary()
        return (
            f"({name}.{method}() if ({name} := {source}).__class__ is str else {self.call(name)})"
        )

    def first_given(self, sources: tuple[str, ...]) -> str:
        """Return the source of the first value that is not null; the others are not computed.

        One flat `or`, since Python limits how deep conditional expressions may nest.
        """
        name = self.temporary()
        if len(sources) == 2:
            return f"({name} if ({name} := {sources[0]}) is not None else {sources[1]})"
        tries = " or ".join(f"({name} := {source}) is not None" for source in sources)
        return f"[{tries}, {name}][1]"
