"""The rows of a chunk, on their way into the table."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain, groupby, repeat
from types import NoneType
from typing import Any, SupportsIndex, overload

from astrio.tasks.batch import Batch, Field, Problem, Reject
from astrio.tasks.destinations.sql.kinds import Unstorable
from astrio.tasks.destinations.sql.values import Column, take, taken

RULE = "destination"

Source = tuple[Sequence[Any], int]


class Sources(Sequence[Source]):
    """Where the records of the batches' rows are, found as they are asked for."""

    __slots__ = ("_batches", "_ends")

    def __init__(self, batches: Sequence[Batch]) -> None:
        """Take the batches, whose rows follow each other."""
        self._batches = batches
        self._ends = list(accumulate(len(batch.rows) for batch in batches))

    def __len__(self) -> int:
        """Return how many rows there are."""
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, place: SupportsIndex) -> Source: ...
    @overload
    def __getitem__(self, place: slice) -> list[Source]: ...
    def __getitem__(self, place: SupportsIndex | slice) -> Any:
        """Return where one row's record is, or the records of several rows are."""
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        row = range(len(self))[place]
        batch = bisect_right(self._ends, row)
        return self._batches[batch].sources, row - (self._ends[batch - 1] if batch else 0)


@dataclass(slots=True)
class Rows:
    """Rows of equal shape: `rows[i]` holds the values of `fields`.

    `sources[i]` says where its record is: a list, and the place in it; few are asked for.
    `key` holds the positions of the key's fields; it is empty if one of them is missing. `more[i]`
    goes with a row that has children; without any, the list is empty.
    `batches` are those that the rows are of, None once some were left out or changed.
    """

    fields: tuple[str, ...]
    key: tuple[int, ...]
    rows: list[tuple[Any, ...]]
    sources: Sequence[Source]
    more: list[Any] = field(default_factory=list)
    batches: Sequence[Batch] | None = None

    def columns(self) -> Iterator[Sequence[Field]]:
        """Yield the values of each field, in parts."""
        if self.batches is None:
            for values in (
                zip(*self.rows, strict=True) if self.rows else repeat((), len(self.fields))
            ):
                yield [Field(values, frozenset(map(type, values)))]
            return
        parts = [batch.fields() for batch in self.batches]
        yield from zip(*parts, strict=True)
        nulls = Field((None,) * len(self.rows), frozenset({NoneType}))
        yield from repeat([nulls], len(self.fields) - len(self.batches[0].columns))

    def has_nulls(self, position: int) -> bool:
        """Whether some row may have a null there."""
        if self.batches is None or position >= len(self.batches[0].columns):
            return True
        return any(NoneType in batch.fields()[position].types for batch in self.batches)

    def keys(self) -> Iterator[tuple[Any, ...]]:
        """Yield each row's key values."""
        columns = [[row[position] for row in self.rows] for position in self.key]
        return zip(*columns, strict=True)

    def reject(self, index: int, *problems: Problem) -> Reject:
        """Return the row's record as a reject, with its key if that is whole."""
        key = tuple(self.rows[index][position] for position in self.key)
        whole = bool(key) and None not in key
        records, place = self.sources[index]
        return Reject(records[place], list(problems), key if whole else None)

    def without(self, indices: Collection[int]) -> Rows:
        """Return the other rows."""
        if not indices:
            return self
        kept = [index for index in range(len(self.rows)) if index not in indices]
        rows = [self.rows[index] for index in kept]
        more = [self.more[index] for index in kept] if self.more else []
        return Rows(self.fields, self.key, rows, [self.sources[index] for index in kept], more)


def by_shape(
    batches: Sequence[Batch], key: tuple[str, ...], known: Iterable[str]
) -> Iterator[Rows]:
    """Yield the rows of consecutive batches with the same columns together, in order.

    A field of `known` that the batches lack is appended with nulls.
    """
    for columns, group in groupby(batches, key=lambda batch: batch.columns):
        alike = list(group)
        missing = tuple(field for field in known if field not in columns) if columns else ()
        fields, nulls = columns + missing, (None,) * len(missing)
        rows = list(chain.from_iterable(batch.rows for batch in alike))
        if nulls:
            rows = [row + nulls for row in rows]
        whole = all(name in fields for name in key)
        positions = tuple(map(fields.index, key)) if whole else ()
        yield Rows(fields, positions, rows, Sources(alike), batches=alike if fields else None)


def without_key(rows: Rows, key: tuple[str, ...]) -> dict[int, Problem]:
    """Return the rows that lack a key value, each with its problem."""
    found: dict[int, Problem] = {}
    for name in key:
        problem = Problem(name, "key", "the key is empty")
        if name not in rows.fields:
            return dict.fromkeys(range(len(rows.rows)), problem)
        position = rows.fields.index(name)
        if rows.has_nulls(position):
            found.update({at: problem for at, row in enumerate(rows.rows) if row[position] is None})
    return found


def unstorable(rows: Rows, native: frozenset[type], *, nan: bool) -> dict[int, Problem]:
    """Return the rows with a value that no column can hold, each with its problem."""
    if not rows.fields:
        problem = Problem(None, RULE, "the record has no fields")
        return dict.fromkeys(range(len(rows.rows)), problem)
    found: dict[int, Problem] = {}
    for at, row in enumerate(rows.rows):
        for name, value in zip(rows.fields, row, strict=True):
            try:
                take((value,), native, nan=nan)
            except Unstorable as reason:
                found.setdefault(at, Problem(name, RULE, str(reason)))
    return found


def columns_of(rows: Rows, native: frozenset[type], *, nan: bool) -> list[Column]:
    """Return the rows' values column by column, as `take` makes them.

    Raises:
        Unstorable: some row has to be left out first (`unstorable` tells which).
    """
    if not rows.fields:
        if rows.rows:
            raise Unstorable
        return []
    return [
        Column.joined([taken(part, native, nan=nan) for part in parts]) for parts in rows.columns()
    ]
