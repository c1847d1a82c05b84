"""From batches to the table: rows checked, the table fitted to them, written in bulk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from astrio.blocks.errors import DestinationError
from astrio.tasks.batch import Batch, Deletion
from astrio.tasks.columns import column_name
from astrio.tasks.destinations.base import Written
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.sql.added_columns import made_table
from astrio.tasks.destinations.sql.broods import taken
from astrio.tasks.destinations.sql.bulk import Bulk, encoded, target_of
from astrio.tasks.destinations.sql.burying import Burying, up_to_deletions
from astrio.tasks.destinations.sql.contract import Contract, with_record
from astrio.tasks.destinations.sql.database import savepoint
from astrio.tasks.destinations.sql.dialect import Dialect, Held, Relation
from astrio.tasks.destinations.sql.families import Families, RefusedChildrenError
from astrio.tasks.destinations.sql.history import History
from astrio.tasks.destinations.sql.kinds import Kind, Unstorable
from astrio.tasks.destinations.sql.own_columns import OwnColumn, own_columns
from astrio.tasks.destinations.sql.quarantine import key_text
from astrio.tasks.destinations.sql.rows import Rows, by_shape, columns_of, unstorable, without_key
from astrio.tasks.destinations.sql.schema import Schema, UnfitError, column_names
from astrio.tasks.destinations.sql.stream import Stamp
from astrio.tasks.destinations.sql.values import Column
from astrio.tasks.destinations.vanishing import VALID_FROM
from astrio.tasks.report import TableChanges


class Writer:
    """Writes the rows of one run; a field once seen stays a column of every later row."""

    def __init__(self, dialect: Dialect, push: PushSettings, table: str) -> None:
        """Take the settings, and the table to write to: `push.table`, or one that stands for it."""
        self._dialect = dialect
        self._push = push
        self._table = table
        self._distinct_by = push.key if push.mode != "append" else ()
        self._fields: dict[str, None] = {}
        self._stamp: Stamp | None = None
        self._own: list[OwnColumn] = []
        self._history = History(dialect, push) if push.mode == "history" else None
        self._families = Families(dialect, push, table)
        self._fresh = False
        self._contract = Contract(push.contract, dialect, push.table, push.key)

    def begin(self, connection: Connection, stamp: Stamp) -> None:
        """Begin a slice of this run.

        Raises:
            ContractError: the table does not exist, and `push.contract` lets nobody make it.
        """
        self._stamp = stamp
        self._contract.begin(connection, stamp)
        schema = Schema(connection, self._dialect, self._table, stamp)
        relation = schema.describe()
        self._fresh = relation is None or made_table(connection, self._table, stamp.run_id)
        self._own = own_columns(self._push, relation)
        if relation is not None and any(each.kind for each in self._own):
            relation, _ = schema.fit([(each.name, each.kind) for each in self._own], ())
            if self._history is not None:
                self._history.fit(connection, relation, self._key)

    def write(
        self,
        connection: Connection,
        batches: Sequence[Batch],
        quarantined: set[str],
        changes: TableChanges | None = None,
    ) -> tuple[Written, set[str]]:
        """Write rows within the caller's transaction.

        Args:
            connection: in a transaction.
            batches: whole pages.
            quarantined: keys (or content hashes) of the quarantine's open rows.
            changes: how the table was changed for these rows already.

        Returns:
            What became of them, and which of the quarantined keys are written now.
        """
        written, mended = Written(table=changes or TableChanges()), set[str]()
        for some in up_to_deletions(batches):
            for rows in by_shape(some, self._push.key, self._fields):
                keyed = self._keyed(rows, written)
                if self._push.children:
                    keyed = taken(self._push, keyed, written)
                accepted = self._write(connection, keyed, written)
                self._fields.update(dict.fromkeys(accepted.fields))
                if quarantined and accepted.key:
                    mended |= quarantined.intersection(map(key_text, accepted.keys()))
            deletions = some[-1].page.deletions
            if deletions:
                self._bury(connection, deletions, written)
                mended |= quarantined.intersection(key_text(each.key) for each in deletions)
        return written, mended

    def _bury(
        self, connection: Connection, deletions: Sequence[Deletion], written: Written
    ) -> None:
        assert self._stamp is not None  # `begin` was called
        burying = Burying(self._dialect, self._push, self._table)
        burying.bury(connection, self._stamp, deletions, written)

    def _keyed(self, rows: Rows, written: Written) -> Rows:
        problems = without_key(rows, self._distinct_by)
        written.rejected += [rows.reject(at, problem) for at, problem in problems.items()]
        return rows.without(problems)

    def _write(self, connection: Connection, rows: Rows, written: Written) -> Rows:
        rows, columns = self._columns(rows, written)
        keyless = self._distinct_by and not rows.key
        if keyless or not columns:
            return rows
        schema = Schema(connection, self._dialect, self._table, self._stamp)
        if self._contract.holds:
            rows, columns = self._held(schema, rows, columns, written)
            if not rows.rows or not columns:
                return rows
        fitted = self._fitted(schema, rows, columns)
        written.table = written.table.plus(schema.changes)
        return self._put(connection, rows, columns, fitted, written) if rows.rows else rows

    def _held(
        self, schema: Schema, rows: Rows, columns: list[Column], written: Written
    ) -> tuple[Rows, list[Column]]:
        """Return what the contract lets into the table."""
        named = list(zip(self._names(rows), columns, strict=True))
        fitting = self._contract.hold(schema.describe(), rows, named, written)
        return (rows, columns) if fitting is rows else self._columns(fitting, written)

    def _fitted(
        self, schema: Schema, rows: Rows, columns: Sequence[Column]
    ) -> tuple[Relation, list[Held]]:
        names, key = self._names(rows), self._key
        if self._history is not None:
            self._history.refuse(rows.fields)
            key = (*key, VALID_FROM)
        wanted = [(name, column.kind) for name, column in zip(names, columns, strict=True)]
        wanted += [(each.name, each.kind) for each in self._own]
        try:
            return schema.fit(wanted, key, retype=self._contract.types_evolve)
        except UnfitError as error:
            places = {name.lower(): position for position, name in enumerate(names)}
            known = [each for each in error.columns if each.name.lower() in places]
            unfit = [(places[each.name.lower()], each) for each in known]
            raise with_record(error, self._dialect, rows, unfit) from None

    def _put(
        self,
        connection: Connection,
        rows: Rows,
        columns: Sequence[Column],
        fitted: tuple[Relation, Sequence[Held]],
        written: Written,
    ) -> Rows:
        if not self._push.children:
            return self._put_rows(connection, rows, columns, fitted, written)
        while rows.rows:
            tried = Written()
            try:
                with savepoint(connection):
                    accepted = self._put_families(connection, rows, columns, fitted, tried)
            except RefusedChildrenError as error:
                written.failed += [rows.reject(at, each) for at, each in error.problems.items()]
                rows, columns = self._columns(rows.without(error.problems), written)
                continue
            written.written += tried.written
            written.unchanged += tried.unchanged
            written.failed += tried.failed
            written.table = written.table.plus(tried.table)
            return accepted
        return rows

    def _put_families(
        self,
        connection: Connection,
        rows: Rows,
        columns: Sequence[Column],
        fitted: tuple[Relation, Sequence[Held]],
        written: Written,
    ) -> Rows:
        """Put rows with their children.

        Raises:
            RefusedChildrenError: some children cannot be written; the caller takes all back.
        """
        relation, held = fitted
        its_columns = [columns[place] for place in rows.key]
        values = [tuple(row[place] for place in rows.key) for row in rows.rows]
        keys = encoded(values, its_columns, [held[place] for place in rows.key])
        changed = self._families.changed(connection, relation, keys, rows.more)
        accepted = self._put_rows(connection, rows, columns, fitted, written)
        replaced = self._families.replace(connection, relation, keys, rows, changed)
        written.table = written.table.plus(replaced)
        return accepted

    def _put_rows(
        self,
        connection: Connection,
        rows: Rows,
        columns: Sequence[Column],
        fitted: tuple[Relation, Sequence[Held]],
        written: Written,
    ) -> Rows:
        relation, held = fitted
        own = [each.name for each in self._own]
        self._require_filled(relation, [*self._names(rows), *own])
        values = encoded(rows.rows, columns, held[: len(columns)])
        bulk, values = self._bulk(connection, rows, relation, held, values)
        changed = bulk.write(values)
        for at, problem in bulk.refused.items():
            problem.reason = problem.reason.replace(self._table, self._push.table)
            written.failed.append(rows.reject(at, problem))
        written.written += changed
        written.unchanged += len(values) - changed - len(bulk.refused)
        return rows.without(bulk.refused)

    def _bulk(
        self,
        connection: Connection,
        rows: Rows,
        relation: Relation,
        held: Sequence[Held],
        values: list[tuple[Any, ...]],
    ) -> tuple[Bulk, list[tuple[Any, ...]]]:
        """Return what writes the values, and these with those of astrio's own columns."""
        version = column_name(self._push.version or "")
        if self._history is None:
            target = target_of(relation, held, self._key, version)
            target = replace(target, fresh=self._fresh)
            return Bulk(connection, self._dialect, target), self._with_own(rows, values)
        assert self._stamp is not None  # `begin` was called
        theirs = held[: -len(self._own)]
        self._history.fit(connection, relation, self._key)
        target = target_of(relation, theirs, self._key, version)
        versions = self._history.versions(connection, relation, target, theirs)
        dated = self._history.dated(self._stamp, rows, values, versions.held[-1])
        return Bulk(connection, self._dialect, target, versions.put), dated

    def _with_own(self, rows: Rows, values: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        if not self._own:
            return values
        if rows.more:  # the digest of the children is the last of them
            own = tuple(each.value for each in self._own[:-1])
            pairs = zip(values, rows.more, strict=True)
            return [(*row, *own, brood.digest) for row, brood in pairs]
        own = tuple(each.value for each in self._own)
        return [row + own for row in values]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields seen so far; set them back where what was written is rolled back."""
        return tuple(self._fields)

    @fields.setter
    def fields(self, fields: Sequence[str]) -> None:
        self._fields = dict.fromkeys(fields)

    @property
    def _key(self) -> tuple[str, ...]:
        return tuple(map(column_name, self._distinct_by))

    def _names(self, rows: Rows) -> list[str]:
        return column_names(rows.fields, self._dialect.longest_name)

    def _require_filled(self, relation: Relation, names: Sequence[str]) -> None:
        missing = sorted(relation.required - {name.lower() for name in names})
        if missing:
            raise DestinationError(
                f"The table {self._push.table} has columns that must not be empty, and no field "
                f"fills them: {', '.join(missing)}.",
                advice="Map them, or give them a default in the database.",
            )

    def _columns(self, rows: Rows, written: Written) -> tuple[Rows, list[Column]]:
        native, nan = self._dialect.native, self._dialect.nan
        try:
            return rows, self._told(columns_of(rows, native, nan=nan))
        except Unstorable:
            problems = unstorable(rows, native, nan=nan)
        written.failed += [rows.reject(at, problem) for at, problem in problems.items()]
        rows = rows.without(problems)
        return rows, self._told(columns_of(rows, native, nan=nan))

    def _told(self, columns: list[Column]) -> list[Column]:
        """Return the columns; those of which no column but a text could hold all are texts."""
        for column in columns:
            if column.kind is not None and not self._dialect.holds(column):
                column.kind = Kind.TEXT
        return columns
