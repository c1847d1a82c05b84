"""A batch while it is being judged: rows as the rules leave them, and what is wrong with each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from astrio.tasks.batch import Batch, Problem, Reject
from astrio.tasks.batch import Field as Values
from astrio.tasks.columns import key_of, key_places
from astrio.tasks.projected import picked
from astrio.tasks.rules.field import Field, Row


@dataclass(slots=True)
class Sheet:
    """Rows with the same columns.

    Attributes:
        rows: as sanitising and rewriting rules leave them.
        nested: whether a dot in a column's name leads into an object (there is a map).
        fields: returns the rows' values, column by column, as long as no rule has rewritten any.
        problems: of the rows that are rejected, by their place.
        warnings: of rows that are written all the same.
        broken: how many records broke each rule.
    """

    columns: tuple[str, ...]
    rows: list[Row]
    nested: bool = True
    fields: Callable[[], Sequence[Values]] | None = None
    problems: dict[int, list[Problem]] = field(default_factory=dict)
    warnings: dict[int, list[Problem]] = field(default_factory=dict)
    broken: Counter[tuple[str | None, str, str]] = field(default_factory=Counter)

    def add(self, place: int, problem: Problem, counted: str | None = None) -> None:
        """Add a problem of the row at a place; `counted` is the field for which it counts."""
        serious = problem.severity == "error"
        owner = self.problems if serious else self.warnings
        owner.setdefault(place, []).append(problem)
        self.broken[counted or problem.field, problem.rule, problem.severity] += 1

    def column(self, where: Field, places: Sequence[int]) -> Column:
        """Return one field's values in the rows at these places."""
        whole = len(places) == len(self.rows)
        if whole and self.fields is not None and where.column is not None and where.path is None:
            return Column(where, places, list(self.fields()[where.column].values))
        rows = self.rows if whole else [self.rows[place] for place in places]
        return Column(where, places, where.values(rows))

    def sifted(self, batch: Batch, key: Sequence[str]) -> Batch:
        """Return the batch with the rows that have problems moved to the rejects."""
        kept: Sequence[int] | None = None
        rejects: list[Reject] = []
        if self.problems:
            places = key_places(self.columns, key)
            rejects = [
                Reject(batch.sources[place], found, key_of(self.rows[place], places))
                for place, found in sorted(self.problems.items())
            ]
            kept = [place for place in range(len(self.rows)) if place not in self.problems]
        broken = dict(self.broken + Counter(batch.broken))
        if kept is None and self.rows is batch.rows:
            batch.broken = broken
            return batch
        return Batch(
            batch.page,
            batch.columns,
            self.rows if kept is None else [self.rows[place] for place in kept],
            batch.sources if kept is None else picked(batch.sources, kept),
            batch.rejects + rejects,
            broken,
        )


@dataclass(slots=True)
class Column:
    """One field's values in some of the rows: `values[i]` stands in the row at `places[i]`."""

    where: Field
    places: Sequence[int]
    values: list[Any]

    def replace(self, new: Mapping[int, Any], sheet: Sheet) -> None:
        """Put other values in the places of some; the incoming rows stay as they are."""
        changed = [index for index, value in new.items() if value is not self.values[index]]
        if not changed:
            return
        rows = sheet.rows.copy()
        for index in changed:
            place = self.places[index]
            self.values[index] = new[index]
            rows[place] = self.where.replaced(rows[place], new[index])
        sheet.rows, sheet.fields = rows, None
