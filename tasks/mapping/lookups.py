"""The source of paths into the record; fixed ones are looked up once, at the function's head."""

from __future__ import annotations

from collections.abc import Callable

from astrio.tasks.mapping.syntax import Access, Slice
from astrio.tasks.paths import Every, Step


class Lookups:
    """Writes look-ups; `lines` collects the assignments that stand before everything else."""

    def __init__(self, temporary: Callable[[], str]) -> None:
        """Take what makes up unused names."""
        self.lines = ["record = record if record.__class__ is dict else record_of(record)"]
        self._temporary = temporary
        self._objects: dict[tuple[Step, ...], str] = {(): "record"}
        self._values: dict[tuple[Step, ...], str] = {(): "record"}

    def access(self, node: Access, base: str | None) -> str:
        """Return the source of an access: into the record, or into the value of `base`."""
        if base is not None:
            return self.stepped(base, node.steps)
        plain = next(
            (place for place, step in enumerate(node.steps) if isinstance(step, Every | Slice)),
            len(node.steps),
        )
        return self.into(_plain(node.steps[:plain]), node.steps[plain:])

    def into(self, steps: tuple[Step, ...], rest: tuple[Step | Slice, ...]) -> str:
        """Return the source of the steps from a fixed path's value on."""
        return self.stepped(self.fixed(steps), rest)

    def fixed(self, steps: tuple[Step, ...]) -> str:
        """Return the variable that holds the value of a fixed path of the record."""
        if steps not in self._values:
            *above, last = steps
            parent = tuple(above)
            if isinstance(last, str):
                look_up = f"{self._object(parent)}.get({last!r})"
            else:
                look_up = f"element({self.fixed(parent)}, {last})"
            self._values[steps] = self._assign(look_up)
        return self._values[steps]

    def _object(self, steps: tuple[Step, ...]) -> str:
        """Return the variable that holds the object at a path, an empty one if it is none."""
        if steps not in self._objects:
            value = self.fixed(steps)
            self._objects[steps] = self._assign(
                f"{value} if {value}.__class__ is dict else object_of({value})"
            )
        return self._objects[steps]

    def _assign(self, source: str) -> str:
        name = self._temporary()
        self.lines.append(f"{name} = {source}")
        return name

    def stepped(self, source: str, steps: tuple[Step | Slice, ...]) -> str:
        """Return the source of steps into a value."""
        for place, step in enumerate(steps):
            if isinstance(step, Every | Slice):
                return self._each(part(source, step), steps[place + 1 :])
            source = _step(source, step)
        return source

    def _each(self, source: str, steps: tuple[Step | Slice, ...]) -> str:
        """Return the source of a list over all elements; wildcards in `steps` flatten it."""
        whole = self._temporary()
        name = self._temporary()
        inner, more = self.loops(name, steps)
        loops = f"for {name} in {whole}{more}"
        return f"([{inner} {loops}] if ({whole} := {source}).__class__ is list else None)"

    def loops(self, source: str, steps: tuple[Step | Slice, ...]) -> tuple[str, str]:
        """Return the source of steps into an element, and the inner loops that they need."""
        loops = ""
        for step in steps:
            if isinstance(step, Every | Slice):
                name = self._temporary()
                loops += f" for {name} in elements({part(source, step)})"
                source = name
            else:
                source = _step(source, step)
        return source, loops


def _plain(steps: tuple[Step | Slice, ...]) -> tuple[Step, ...]:
    return tuple(step for step in steps if not isinstance(step, Slice))


def part(source: str, step: Every | Slice) -> str:
    """Return the source of the elements that a step takes of a list."""
    if isinstance(step, Slice):
        return f"sliced({source}, {step.start!r}, {step.stop!r})"
    return source


def _step(source: str, step: str | int) -> str:
    if isinstance(step, int):
        return f"element({source}, {step})"
    if source.isidentifier():
        return (
            f"({source}.get({step!r}) if {source}.__class__ is dict else child({source}, {step!r}))"
        )
    return f"child({source}, {step!r})"
