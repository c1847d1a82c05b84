"""From rows to objects: a field such as `customer.name` is `name` of the object `customer`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


class Nesting:
    """How rows of these fields become objects.

    A field whose dots would put it into another field's value, or below an empty name, keeps
    them.
    """

    def __init__(self, fields: Sequence[str]) -> None:
        self.fields = tuple(fields)
        taken = set(self.fields)
        self._paths = [_path(field, taken) for field in self.fields]
        self._flat = all(len(path) == 1 for path in self._paths)

    def objects(self, rows: Iterable[tuple[Any, ...]]) -> list[dict[str, Any]]:
        """Return an object for each row."""
        if self._flat:
            fields = self.fields
            return [dict(zip(fields, row, strict=True)) for row in rows]
        return [self._object(row) for row in rows]

    def _object(self, row: tuple[Any, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for path, value in zip(self._paths, row, strict=True):
            place = found
            for name in path[:-1]:
                place = place.setdefault(name, {})
            place[path[-1]] = value
        return found


def _path(field: str, taken: set[str]) -> tuple[str, ...]:
    parts = tuple(field.split("."))
    above = {".".join(parts[:count]) for count in range(1, len(parts))}
    return (field,) if "" in parts or above & taken else parts
