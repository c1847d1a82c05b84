"""Where a rule's field is found in a row: a column, or a path into a column's value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from astrio.tasks.paths import JsonPath, PathSyntaxError, Step, compile_path

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of all rows with the same columns; `column` None: no row has it."""

    column: int | None
    path: JsonPath | None = None

    def values(self, rows: Sequence[Row]) -> list[Any]:
        """Return the field's value in each row, null where there is none."""
        column = self.column
        if column is None:
            return [None] * len(rows)
        if self.path is None:
            return [row[column] for row in rows]
        return [self.path.first(row[column]) for row in rows]

    def replaced(self, row: Row, value: Any) -> Row:
        """Return the row with another value in the field; source objects are left as they are."""
        assert self.column is not None  # only values that are there are replaced
        inside = row[self.column]
        new = value if self.path is None else _with(inside, self.path.steps, value)
        return (*row[: self.column], new, *row[self.column + 1 :])


def find_field(name: str, columns: Sequence[str]) -> Field:
    """Find a field: the column of that name, else a path into the longest that begins it."""
    if name in columns:
        return Field(columns.index(name))
    cuts = (place for place in range(len(name) - 1, 0, -1) if name[place] in ".[")
    for cut in cuts:
        if name[:cut] in columns:
            return Field(columns.index(name[:cut]), compile_path("$" + name[cut:]))
    return Field(None)


def field_mistake(name: str) -> str | None:
    """Return why the name is no path to one value, None if it is."""
    try:
        path = compile_path(name)
    except PathSyntaxError as error:
        return f"The field is no path: {error.reason} at character {error.offset + 1}."
    return None if path.definite and path.steps else "The field must name one value."


def _with(value: Any, steps: Sequence[Step], new: Any) -> Any:
    if not steps:
        return new
    step = steps[0]
    copy = value.copy()
    copy[step] = _with(value[step], steps[1:], new)
    return copy
