"""Writing rows in bulk, and finding the ones that the database refuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection

from astrio.tasks.batch import Problem
from astrio.tasks.destinations.sql.database import savepoint
from astrio.tasks.destinations.sql.dialect import Dialect, Held, Relation, Target
from astrio.tasks.destinations.sql.kinds import Kind
from astrio.tasks.destinations.sql.rows import RULE
from astrio.tasks.destinations.sql.values import Column, as_text

_BIGINT = range(-(2**63), 2**63)


def encoded(
    rows: list[tuple[Any, ...]], columns: Sequence[Column], held: Sequence[Held]
) -> list[tuple[Any, ...]]:
    """Return the rows as the table's columns take them: the very same list where they all do."""
    fitted = [_fitted(column, each.kind) for column, each in zip(columns, held, strict=True)]
    if not any(column.converted for column in columns) and not any(fitted):
        return rows
    values = [
        column.values if other is None else other
        for column, other in zip(columns, fitted, strict=True)
    ]
    return list(zip(*values, strict=True))


Put = Callable[[Connection, Sequence[tuple[Any, ...]]], int]


class Bulk:
    """Writes rows into a target; rows that the database refuses are set aside.

    Attributes:
        refused: the refused rows by their index, each with its problem.
    """

    def __init__(
        self, connection: Connection, dialect: Dialect, target: Target, put: Put | None = None
    ) -> None:
        """Take the target, and how rows get there; None: as the dialect puts them."""
        self._connection = connection
        self._dialect = dialect
        self._put = put or partial(_put, dialect, target)
        self._target = None if put else target  # only where rows go straight into it
        self.refused: dict[int, Problem] = {}

    def write(self, rows: Sequence[tuple[Any, ...]]) -> int:
        """Write rows in order; return how many changed.

        If the database refuses a row, and the dialect cannot tell which, the rows are halved until
        it is found; the others go in.
        """
        if not rows:
            return 0
        places: Sequence[int] = range(len(rows))
        changed: int | str = ""
        for met in (False, True):
            found = self._foreseen(rows, met=met)
            if found:
                for at, words in found.items():
                    self._set_aside(places[at], words)
                kept = [at for at in range(len(rows)) if at not in found]
                rows, places = [rows[at] for at in kept], [places[at] for at in kept]
                if not rows:
                    return 0
            if not met or found:
                changed = self._tried(rows)
                if isinstance(changed, int):
                    return changed
        return self._halved(rows, places, str(changed))

    def _foreseen(self, rows: Sequence[tuple[Any, ...]], *, met: bool) -> dict[int, str]:
        if self._target is None:
            return {}
        return self._dialect.foresee(self._connection, self._target, rows, met=met)

    def _tried(self, rows: Sequence[tuple[Any, ...]]) -> int | str:
        """Return how many rows changed, or the words of a refusal."""
        try:
            with savepoint(self._connection):
                return self._put(self._connection, rows)
        except self._dialect.driver_errors as error:
            words = self._dialect.refusal(error)
            if words is None:
                raise
            return words

    def _halved(self, rows: Sequence[tuple[Any, ...]], places: Sequence[int], words: str) -> int:
        """Write the halves of rows that were refused with these words."""
        if len(rows) == 1:
            self._set_aside(places[0], words)
            return 0
        middle, total = len(rows) // 2, 0
        for half in (slice(None, middle), slice(middle, None)):
            changed = self._tried(rows[half])
            if isinstance(changed, str):
                changed = self._halved(rows[half], places[half], changed)
            total += changed
        return total

    def _set_aside(self, place: int, words: str) -> None:
        self.refused[place] = Problem(None, RULE, f"the database refuses the row: {words}")


def _put(
    dialect: Dialect, target: Target, connection: Connection, rows: Sequence[tuple[Any, ...]]
) -> int:
    return dialect.put(connection, target, rows)


def _fitted(column: Column, held: Kind) -> list[Any] | None:
    """Return a column's values as the table's takes them, None where these are as they are."""
    if held is Kind.TEXT and not column.only_text:
        return list(map(as_text, column.values))
    if held is Kind.ANY and column.kind in {Kind.NUMERIC, Kind.TEXT}:
        return [as_text(v) if type(v) is int and v not in _BIGINT else v for v in column.values]
    return None


def target_of(relation: Relation, held: Sequence[Held], key: Sequence[str], version: str) -> Target:
    """Return where rows of these columns go; `version` counts only where there is such a column."""
    lower = {name.lower() for name in key}
    versions = [each.name for each in held if each.name.lower() == version.lower()]
    return Target(
        relation.name,
        columns=tuple(each.name for each in held),
        key=tuple(each.name for each in held if each.name.lower() in lower),
        declared=tuple(each.declared for each in held),
        version=versions[0] if versions and lower else "",
    )
