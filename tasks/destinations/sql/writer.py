"""From batches to the table: rows checked, the table fitted to them, written in bulk."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from astrio.blocks.errors import DestinationError
from astrio.tasks.batch import Batch
from astrio.tasks.columns import column_name
from astrio.tasks.destinations.base import Written
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.sql.bulk import Bulk, encoded
from astrio.tasks.destinations.sql.dialect import Dialect, Held, Relation, Target
from astrio.tasks.destinations.sql.kinds import Unstorable
from astrio.tasks.destinations.sql.quarantine import key_text
from astrio.tasks.destinations.sql.rows import Rows, by_shape, columns_of, unstorable, without_key
from astrio.tasks.destinations.sql.schema import Schema, column_names
from astrio.tasks.destinations.sql.values import Column


class Writer:
    """Writes the rows of one run; a field once seen stays a column of every later row."""

    def __init__(self, dialect: Dialect, push: PushSettings, table: str) -> None:
        """Take the settings, and the table to write to: `push.table`, or one that stands for it."""
        self._dialect = dialect
        self._push = push
        self._table = table
        self._distinct_by = push.key if push.mode != "append" else ()
        self._fields: dict[str, None] = {}

    def write(
        self, connection: Connection, batches: Sequence[Batch], quarantined: set[str]
    ) -> tuple[Written, set[str]]:
        """Write rows within the caller's transaction.

        Returns:
            What became of them, and which of the quarantined keys are written now.
        """
        written, mended = Written(), set[str]()
        for rows in by_shape(batches, self._push.key, self._fields):
            self._fields.update(dict.fromkeys(rows.fields))
            accepted = self._write(connection, self._keyed(rows, written), written)
            if quarantined and accepted.key:
                mended |= quarantined.intersection(map(key_text, accepted.keys()))
        return written, mended

    def _keyed(self, rows: Rows, written: Written) -> Rows:
        problems = without_key(rows, self._distinct_by)
        written.rejected += [rows.reject(at, problem) for at, problem in problems.items()]
        return rows.without(problems)

    def _write(self, connection: Connection, rows: Rows, written: Written) -> Rows:
        rows, columns = self._columns(rows, written)
        keyless = self._distinct_by and not rows.key
        if keyless or not columns:
            return rows
        names = column_names(rows.fields, self._dialect.longest_name)
        wanted = [(name, column.kind) for name, column in zip(names, columns, strict=True)]
        key = tuple(map(column_name, self._distinct_by))
        relation, held = Schema(connection, self._dialect, self._table).fit(wanted, key)
        if not rows.rows:
            return rows
        self._require_filled(relation, names)
        values = encoded(rows.rows, columns, held)
        version = column_name(self._push.version or "")
        bulk = Bulk(connection, self._dialect, _target(relation, held, key, version))
        changed = bulk.write(values)
        for at, problem in bulk.refused.items():
            problem.reason = problem.reason.replace(self._table, self._push.table)
            written.failed.append(rows.reject(at, problem))
        written.written += changed
        written.unchanged += len(values) - changed - len(bulk.refused)
        return rows.without(bulk.refused)

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
            return rows, columns_of(rows, native, nan=nan)
        except Unstorable:
            problems = unstorable(rows, native, nan=nan)
        written.failed += [rows.reject(at, problem) for at, problem in problems.items()]
        rows = rows.without(problems)
        return rows, columns_of(rows, native, nan=nan)


def _target(relation: Relation, held: Sequence[Held], key: Sequence[str], version: str) -> Target:
    lower = {name.lower() for name in key}
    versions = [each.name for each in held if each.name.lower() == version.lower()]
    return Target(
        relation.name,
        columns=tuple(each.name for each in held),
        key=tuple(each.name for each in held if each.name.lower() in lower),
        declared=tuple(each.declared for each in held),
        version=versions[0] if versions and lower else "",
    )
