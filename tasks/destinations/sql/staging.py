"""The staging table: rows of a `replace` run gather in it, then take the place of the table's."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, exists, func, insert, select
from sqlalchemy.sql.elements import ColumnElement

from astrio.blocks.errors import DestinationError
from astrio.tasks.columns import RESERVED, column_name
from astrio.tasks.destinations.sql import added_columns, changing
from astrio.tasks.destinations.sql.clauses import table_of
from astrio.tasks.destinations.sql.dialect import Dialect, Relation, quoted, run
from astrio.tasks.destinations.sql.digests import digest
from astrio.tasks.destinations.sql.schema import Schema
from astrio.tasks.destinations.sql.stream import Stream
from astrio.tasks.destinations.sql.tables import untyped


class Staging:
    """A stream's staging table; every call works within the caller's transaction.

    Attributes:
        name: the table's name, one of astrio's own.
    """

    def __init__(self, dialect: Dialect, stream: Stream, key: Sequence[str]) -> None:
        """Take the stream's table, and the fields by which its rows are told apart."""
        self.name = f"{RESERVED}staging_{digest(stream.id)}"
        self._dialect = dialect
        self._table = stream.table
        self._key = tuple(map(column_name, key))
        self._swapped_by: Sequence[str] | None = None

    def begin(self, connection: Connection) -> None:
        """Make a staging table that takes and refuses the same rows as the table.

        If there is no table yet, the first rows make the staging table. One that a killed run has
        left must be dropped before.

        Raises:
            DestinationError: the table is a view.
        """
        relation = self._dialect.describe(connection, self._table)
        if relation is None:
            return
        self._schema(connection).fit([], ())
        self._dialect.clone(connection, relation, self.name)
        noted = connection.execute(select(untyped.c.column_name).where(_of(self._table)))
        rows = [{"table_name": self.name, "column_name": each} for each in noted.scalars()]
        if rows:
            connection.execute(insert(untyped), rows)

    def drop(self, connection: Connection) -> None:
        """Remove the staging table, if there is one, and what is noted about it."""
        run(connection, f"DROP TABLE IF EXISTS {quoted(self.name)}")
        connection.execute(untyped.delete().where(_of(self.name)))
        added_columns.forget(connection, self.name)

    def take_place(self, connection: Connection) -> int:
        """Put the staged rows in the place of the table's, and return how many rows are gone.

        A row is gone if no staged row has its key; without a key, each row of before is. Where
        nothing was staged, an existing table is emptied, and a missing one is not created.

        Raises:
            DestinationError: somebody else has removed the staging table.
        """
        staging = self._dialect.describe(connection, self.name)
        present = self._dialect.describe(connection, self._table) is not None
        if staging is None and not present:
            return 0
        if staging is None:
            raise DestinationError(
                f"The table {self.name}, where the new rows of {self._table} were gathered, has "
                "been removed meanwhile.",
                advice="Run again, and leave tables alone whose names begin with _astrio_.",
            )
        key = self._key if {name.lower() for name in self._key} <= staging.columns.keys() else ()
        gone = 0
        if present:
            gone = self._count_gone(connection, staging, key)
        elif self._is_empty(connection):
            self.drop(connection)
            return 0
        connection.execute(untyped.delete().where(_of(self._table)))
        noted = untyped.update().where(_of(self.name))
        connection.execute(noted.values(table_name=self._table.lower()))
        added_columns.take_place(connection, self.name, self._table)
        self._dialect.swap(connection, staging, self._table)
        self._swapped_by = key
        if self._dialect.undoes_changes:
            self._schema(connection).fit([], key)
        return gone

    def tidy(self, connection: Connection) -> None:
        """Finish, in a transaction of its own, what would have committed the swap too early.

        A run that is killed before leaves it to the next one.
        """
        if self._swapped_by is not None and not self._dialect.undoes_changes:
            self.drop(connection)
            with changing.allowed(connection):
                self._schema(connection).fit([], self._swapped_by)
        self._swapped_by = None

    def _count_gone(self, connection: Connection, staging: Relation, key: Sequence[str]) -> int:
        """Fit the table to the staging table's columns, and count its rows that are not staged."""
        wanted = [(held.name, held.kind) for held in staging.columns.values()]
        relation, fitted = self._schema(connection).fit(wanted, ())
        real = {held.name.lower(): held.name for held in fitted}
        old = table_of(relation.name, [real[each.lower()] for each in key])
        new = table_of(self.name, [staging.columns[each.lower()].name for each in key])
        query = select(func.count()).select_from(old)
        if key:
            same = (one == other for one, other in zip(old.c, new.c, strict=True))
            query = query.where(~exists().select_from(new).where(*same))
        return connection.execute(query).scalar_one()

    def _is_empty(self, connection: Connection) -> bool:
        rows = select(1).select_from(table_of(self.name)).limit(1)
        return connection.execute(rows).first() is None

    def _schema(self, connection: Connection) -> Schema:
        return Schema(connection, self._dialect, self._table)


def _of(name: str) -> ColumnElement[bool]:
    return untyped.c.table_name == name.lower()
