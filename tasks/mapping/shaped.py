"""The source of paths into a record of which only a shape was decoded."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from astrio.tasks.mapping.lookups import Lookups, part
from astrio.tasks.mapping.shape import Shape
from astrio.tasks.mapping.syntax import Slice
from astrio.tasks.paths import Every, Step


class ShapedLookups(Lookups):
    """Writes look-ups in Structs: an attribute where there is a field, None where the object is."""

    def __init__(self, temporary: Callable[[], str], shape: Shape) -> None:
        """Take what makes up unused names, and the record's shape."""
        super().__init__(temporary)
        self.lines = []  # the decoder has seen to it that the record is an object
        self._shape = shape

    def fixed(self, steps: tuple[Step, ...]) -> str:
        """Return the variable that holds the value of a fixed path of the record."""
        *above, last = steps or ("",)
        shape = self._at(above)
        if not steps or steps in self._values or shape.whole or not isinstance(last, str):
            return super().fixed(steps)
        parent, attribute = self.fixed(tuple(above)), shape.attribute(last)
        guard = f"None if {parent} is None else " if above else ""
        self._values[steps] = self._assign(f"{guard}{parent}.{attribute}")
        return self._values[steps]

    def into(self, steps: tuple[Step, ...], rest: tuple[Step | Slice, ...]) -> str:
        """Return the source of the steps from a fixed path's value on."""
        return self._typed(self.fixed(steps), rest, self._at(steps))

    def _typed(self, source: str, steps: Sequence[Step | Slice], shape: Shape) -> str:
        for place, step in enumerate(steps):
            if shape.whole:
                return self.stepped(source, tuple(steps[place:]))
            if isinstance(step, Every | Slice):
                return self._typed_each(part(source, step), steps[place + 1 :], shape)
            source, shape = _step(source, step, shape)
        return source

    def _typed_each(self, source: str, steps: Sequence[Step | Slice], shape: Shape) -> str:
        """Return the source of a list over all elements; wildcards in `steps` flatten it."""
        whole, name = self._temporary(), self._temporary()
        loops, inner, shape = f"for {name} in {whole}", name, _items(shape)
        for place, step in enumerate(steps):
            if shape.whole:
                inner, more = self.loops(inner, tuple(steps[place:]))
                loops += more
                break
            if isinstance(step, Every | Slice):
                name = self._temporary()
                loops += f" for {name} in elements({part(inner, step)})"
                inner, shape = name, _items(shape)
            else:
                inner, shape = _step(inner, step, shape)
        return f"([{inner} {loops}] if ({whole} := {source}).__class__ is list else None)"

    def _at(self, steps: Sequence[Step]) -> Shape:
        shape = self._shape
        for step in steps:
            if shape.whole:
                return shape
            shape = shape.fields[step] if isinstance(step, str) else _items(shape)
        return shape


def _items(shape: Shape) -> Shape:
    assert shape.items is not None  # the shape was made of these very paths
    return shape.items


def _step(source: str, step: Step, shape: Shape) -> tuple[str, Shape]:
    if not isinstance(step, str):
        return f"element({source}, {step})", _items(shape)
    attribute = shape.attribute(step)
    if source.isidentifier():
        return f"(None if {source} is None else {source}.{attribute})", shape.fields[step]
    return f"attribute({source}, {attribute!r})", shape.fields[step]
