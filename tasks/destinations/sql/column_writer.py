"""Filling columns of the rows that are there; no row is put in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, column
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import quoted_name

from astrio.blocks.errors import DestinationError
from astrio.tasks.batch import Batch, Deletion
from astrio.tasks.columns import column_name
from astrio.tasks.destinations.base import Written
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.sql.bulk import Bulk, encoded, target_of
from astrio.tasks.destinations.sql.dialect import Dialect, Held, Relation, Target, quoted
from astrio.tasks.destinations.sql.dry.images import images
from astrio.tasks.destinations.sql.rows import Rows
from astrio.tasks.destinations.sql.stream import Stamp
from astrio.tasks.destinations.sql.values import Column
from astrio.tasks.destinations.sql.writer import Writer
from astrio.tasks.report import TableChanges

_Row = tuple[Any, ...]


class ColumnWriter(Writer):
    """Writes some columns only; records whose row is not there count as filtered."""

    def __init__(self, dialect: Dialect, push: PushSettings, fields: Sequence[str]) -> None:
        """Take the settings, and the fields to write beside the key, which finds the rows."""
        super().__init__(dialect, push, push.table)
        own = (*push.key, *fields, *filter(None, [push.version]))
        self._wanted = frozenset(own)

    def begin(self, connection: Connection, stamp: Stamp) -> None:
        """Begin a slice.

        Raises:
            DestinationError: there is no table.
        """
        super().begin(connection, stamp)
        if self._dialect.describe(connection, self._table) is None:
            raise DestinationError(
                f"There is no table {self._table} whose columns could be filled.",
                advice="Backfill whole rows first: leave --columns out.",
            )

    def write(
        self,
        connection: Connection,
        batches: Sequence[Batch],
        quarantined: set[str],
        changes: TableChanges | None = None,
    ) -> tuple[Written, set[str]]:
        """Write columns within the caller's transaction; nobody is mended by a part of a row."""
        written, _ = super().write(connection, batches, quarantined, changes)
        return written, set()

    def _keyed(self, rows: Rows, written: Written) -> Rows:
        keyed = super()._keyed(rows, written)
        places = [at for at, name in enumerate(keyed.fields) if name in self._wanted]
        fields = tuple(keyed.fields[at] for at in places)
        narrow = [tuple(row[at] for at in places) for row in keyed.rows]
        key = tuple(map(fields.index, self._distinct_by)) if keyed.key else ()
        return Rows(fields, key, narrow, keyed.sources)

    def _bury(
        self,
        connection: Connection,  # noqa: ARG002 (nothing is buried)
        deletions: Sequence[Deletion],
        written: Written,
    ) -> None:
        written.filtered += len(deletions)

    def _put(
        self,
        connection: Connection,
        rows: Rows,
        columns: Sequence[Column],
        fitted: tuple[Relation, Sequence[Held]],
        written: Written,
    ) -> Rows:
        relation, held = fitted
        held = held[: len(columns)]
        values = encoded(rows.rows, columns, held)
        target = target_of(relation, held, self._key, column_name(self._push.version or ""))
        filling = _Filling(self._dialect, relation)
        bulk = Bulk(connection, cast("Dialect", filling), target)
        changed = bulk.write(values)
        for at, problem in bulk.refused.items():
            written.failed.append(rows.reject(at, problem))
        written.written += changed
        written.filtered += filling.missing
        written.unchanged += len(values) - changed - filling.missing - len(bulk.refused)
        return rows.without(bulk.refused)


class _Filling:
    """Stands in for the dialect where rows are put into a table: it updates them.

    Attributes:
        missing: how many rows were not there.
    """

    def __init__(self, dialect: Dialect, relation: Relation) -> None:
        self._dialect = dialect
        self._relation = relation
        self.driver_errors = dialect.driver_errors
        self.refusal = dialect.refusal
        self.missing = 0

    def put(self, connection: Connection, target: Target, rows: Sequence[_Row]) -> int:
        """Update the rows of these keys, and return how many differ from before."""
        self._compiled = connection.dialect
        changed = missing = 0
        places = [target.columns.index(name) for name in target.key]
        for turn in _by_turns(rows, places):
            keys = list(turn)
            before = self._images(connection, target, keys)
            self._update(connection, target, list(turn.values()))
            after = self._images(connection, target, keys)
            changed += sum(before[key] != after[key] for key in before)
            missing += len(keys) - len(before)
        self.missing += missing
        return changed

    def foresee(self, *_: Any, **__: Any) -> dict[int, str]:
        """Foresee nothing: the rows are tried."""
        return {}

    def _update(self, connection: Connection, target: Target, rows: list[_Row]) -> None:
        try:
            connection.exec_driver_sql(*self._statement(target, rows))
        except DBAPIError as error:
            raise error.orig or error from error  # as drivers raise what they refuse

    def _images(self, connection: Connection, target: Target, keys: list[_Row]) -> Any:
        return images(connection, self._dialect, self._relation, target.key, keys)

    def _statement(self, target: Target, rows: list[_Row]) -> tuple[str, list[_Row]]:
        """Return an UPDATE of one row, and its values for each row."""
        types = dict(zip(target.columns, target.declared, strict=True))
        marks = {name: self._dialect.parameter(declared) for name, declared in types.items()}
        rest = [name for name in target.columns if name not in target.key]
        literally = "%%" if "%" in next(iter(marks.values())) else "%"

        def named(name: str) -> str:
            return quoted(name).replace("%", literally)

        changes = ", ".join(f"{named(name)} = {marks[name]}" for name in rest)
        conditions = [f"{named(name)} = {marks[name]}" for name in target.key]
        order = [*rest, *target.key]
        if target.version:
            mark = marks[target.version]
            conditions.append(f"({named(target.version)} IS NULL OR {self._old(target)} <= {mark})")
            order.append(target.version)
        places = [target.columns.index(name) for name in order]
        statement = f"UPDATE {named(target.table)} SET {changes} WHERE {' AND '.join(conditions)}"  # noqa: S608 (names are quoted)
        return statement, [tuple(row[place] for place in places) for row in rows]

    def _old(self, target: Target) -> str:
        """Return the column of the version as it is compared."""
        held = self._relation.columns[target.version.lower()]
        old: ColumnElement[Any] = column(quoted_name(target.version, quote=True))
        return str(self._dialect.ordered(old, held).compile(dialect=self._compiled))


def _by_turns(rows: Sequence[_Row], places: Sequence[int]) -> Iterator[dict[_Row, _Row]]:
    """Yield the rows by their keys, in turns in which no key comes twice."""
    turn: dict[_Row, _Row] = {}
    for row in rows:
        key = tuple(row[place] for place in places)
        if key in turn:
            yield turn
            turn = {}
        turn[key] = row
    if turn:
        yield turn
