"""`push.deleted`: the rows of records that tell of a deletion are marked or deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, TableClause, and_, literal_column, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ColumnElement

from astrio.tasks.batch import Batch, Deletion, Problem, Reject
from astrio.tasks.columns import column_name
from astrio.tasks.destinations.base import Written
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.sql.clauses import bound, table_of
from astrio.tasks.destinations.sql.closing import close, present
from astrio.tasks.destinations.sql.database import savepoint
from astrio.tasks.destinations.sql.dialect import Dialect, Held, Relation
from astrio.tasks.destinations.sql.families import Families
from astrio.tasks.destinations.sql.history import begun, time_of
from astrio.tasks.destinations.sql.keys import fitted_keys, fitted_value, key_columns
from astrio.tasks.destinations.sql.kinds import Unstorable
from astrio.tasks.destinations.sql.rows import RULE
from astrio.tasks.destinations.sql.stream import Stamp
from astrio.tasks.destinations.vanishing import DELETED_AT
from astrio.tasks.quality.settings import moment as as_moment


class Burying:
    """Lets rows go one by one; every call works within the caller's transaction."""

    def __init__(self, dialect: Dialect, push: PushSettings, table: str) -> None:
        """Take the settings, and the table that holds the rows."""
        self._dialect = dialect
        self._push = push
        self._table = table

    def bury(
        self,
        connection: Connection,
        stamp: Stamp,
        deletions: Sequence[Deletion],
        written: Written,
    ) -> None:
        """Mark or delete the rows that the records tell of.

        One that is gone already is unchanged; one that the database keeps is failed.
        """
        if not deletions:
            return
        relation = self._dialect.describe(connection, self._table)
        if relation is None or not key_columns(relation, self._push.key):
            written.unchanged += len(deletions)
            return
        for each in deletions:
            try:
                with savepoint(connection):
                    gone = self._let_go(connection, stamp, relation, each)
            except DBAPIError as error:
                written.failed.append(self._refused(each, error))
            else:
                written.deleted += gone
                written.written += gone
                written.unchanged += not gone

    def _refused(self, deletion: Deletion, error: DBAPIError) -> Reject:
        words = self._dialect.refusal(error.orig) if isinstance(error.orig, Exception) else None
        if words is None:
            raise error
        problem = Problem(None, RULE, f"the database refuses the deletion: {words}")
        return Reject(deletion.record, [problem], deletion.key)

    def _let_go(
        self, connection: Connection, stamp: Stamp, relation: Relation, deletion: Deletion
    ) -> bool:
        rows = table_of(relation.name, [each.name for each in relation.columns.values()])
        mine = self._row_of(relation, rows, deletion)
        version = relation.columns.get(column_name(self._push.version or "").lower())
        if not mine or not self._may_go(connection, rows, mine, version, deletion):
            return False
        settings = self._push.deleted
        assert settings is not None  # only then are records taken for deletions
        if self._push.mode == "history":
            at = time_of(deletion.version) or begun(stamp)
            close(connection, self._dialect, relation, rows, which=mine, at=at)
        elif settings.rows == "delete":
            families = Families(self._dialect, self._push, relation.name)
            families.forget(connection, relation, rows, and_(*mine))
            connection.execute(rows.delete().where(*mine))
        else:
            values = self._marks(stamp, relation, version, deletion)
            connection.execute(rows.update().where(*mine).values(values))
        return True

    def _marks(
        self, stamp: Stamp, relation: Relation, version: Held | None, deletion: Deletion
    ) -> dict[str, Any]:
        marked = relation.columns[DELETED_AT]  # the writer has made it
        values = {marked.name: fitted_value(self._dialect, marked, begun(stamp))}
        if version is not None and deletion.version is not None:
            values[version.name] = fitted_value(self._dialect, version, deletion.version)
        return values

    def _row_of(
        self, relation: Relation, rows: TableClause, deletion: Deletion
    ) -> list[ColumnElement[bool]]:
        """Return what is true of the row, unless it is gone; empty if there can be none."""
        held = key_columns(relation, self._push.key)
        found = fitted_keys(self._dialect, held, [deletion.key])
        if not found:
            return []
        pairs = zip(held, found[0], strict=True)
        mine: list[ColumnElement[bool]] = [rows.c[each.name] == bound(key) for each, key in pairs]
        return [*mine, *present(self._push.mode, relation, rows)]

    def _may_go(
        self,
        connection: Connection,
        rows: TableClause,
        mine: Sequence[ColumnElement[bool]],
        version: Held | None,
        deletion: Deletion,
    ) -> bool:
        """Whether there is a row that is not newer than its deletion."""
        looked_at = literal_column("1") if version is None else rows.c[version.name]
        found = connection.execute(select(looked_at).select_from(rows).where(*mine)).first()
        if found is None or version is None:
            return found is not None
        if found[0] is None or deletion.version is None:
            return found[0] is None
        try:
            told = fitted_value(self._dialect, version, deletion.version)
        except Unstorable:
            return False
        return _not_lower(told, found[0])


def _not_lower(told: Any, present: Any) -> bool:
    try:
        if isinstance(present, date):
            return as_moment(told) >= as_moment(present)
        return bool(told >= present)
    except (TypeError, ValueError):
        return False


def up_to_deletions(batches: Sequence[Batch]) -> Iterator[Sequence[Batch]]:
    """Yield batches in order; only the last of each part tells of deletions."""
    start = 0
    for end, batch in enumerate(batches, start=1):
        if batch.page.deletions or end == len(batches):
            yield batches[start:end]
            start = end
