"""What to read of parents and children."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.paths import compile_path
from astrio.tasks.shapes import describe

if TYPE_CHECKING:
    from astrio.tasks.read_plan import ReadPlan

Marks = Mapping[str, Any]


async def no_marks(_keys: list[str]) -> Marks:
    """Know of no parent how far its children were read."""
    return {}


@dataclass(frozen=True, slots=True)
class Children:
    """How parents lead to children.

    Attributes:
        parents: how the parents are read.
        part: the plan that reads a parent's children, given the parent and its watermark.
        key: path to a parent's key.
        include: further fields that a child's record gets.
        name: under which name it gets them.
        concurrency: parents whose children are read at once.
        missing: statuses that say that one parent has no children to read.
        max_missing: how many such parents a run bears, None: all but one.
        marks: returns the watermarks of parents by their keys.
        advance: returns a parent's new watermark from the old one and the highest cursor; None:
            it does not move.
    """

    parents: ReadPlan
    part: Callable[[Any, Any], ReadPlan]
    key: str = "id"
    include: tuple[str, ...] = ()
    name: str = "parent"
    concurrency: int = 4
    missing: tuple[int, ...] = (403, 404, 410)
    max_missing: int | str | None = None
    marks: Callable[[list[str]], Awaitable[Marks]] = no_marks
    advance: Callable[[Any, Any], Any] | None = None

    def key_of(self, parent: Any) -> str:
        """Return a parent's key as text.

        Raises:
            ApiAnswerError: it has none, or one that is no text or number.
        """
        key = compile_path(self.key).first(parent)
        if isinstance(key, bool) or not isinstance(key, str | int) or key == "":
            raise ApiAnswerError(
                f"A parent's key at {self.key} is {describe(key)}, not a text or a number.",
                advice="Correct source.parent.key.",
            )
        return str(key)

    def shared(self, parent: Any) -> dict[str, Any]:
        """Return the fields that the records of a parent's children get."""
        names = (self.key, *(name for name in self.include if name != self.key))
        return {self.name: {name: compile_path(name).first(parent) for name in names}}
