"""What a dry run does to its table: counted, with the first rows that it changes."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from astrio.tasks.columns import column_name
from astrio.tasks.destinations.base import Chunk, Written
from astrio.tasks.destinations.children import DIGEST
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.sql.bulk import encoded
from astrio.tasks.destinations.sql.dialect import Dialect, Held, Relation
from astrio.tasks.destinations.sql.dry.images import Image, Key, changed_row, images, rows_in
from astrio.tasks.destinations.sql.rows import Rows
from astrio.tasks.destinations.sql.values import Column
from astrio.tasks.destinations.sql.writer import Writer
from astrio.tasks.destinations.vanishing import VALID_FROM, VALID_TO
from astrio.tasks.difference import MOST_EXAMPLES, ChangedRow, Difference
from astrio.tasks.report import RunReport


class Watch:
    """Holds the table as a dry run leaves it against the table as it was.

    Memory is bounded: there are counts, and the keys of the first changed rows.

    Attributes:
        key: names of the key's columns.
        replaced: counts of a `replace`, taken before the tables are swapped.
    """

    def __init__(self, dialect: Dialect, push: PushSettings) -> None:
        self.key = tuple(map(column_name, push.key))
        self.replaced: Difference | None = None
        self._dialect = dialect
        self._push = push
        self._before: Relation | None = None
        self._rows_before = 0
        self._written = self._unchanged = 0
        self._buried = self._vanished = 0
        self._keys: list[Key] = []

    def begin(self, connection: Connection) -> None:
        """Look at the table before anything is written."""
        self._before = self._table(connection)
        if self._before is not None and self._push.mode in ("upsert", "history"):
            self._rows_before = self._count(connection, self._before)

    def start_again(self) -> None:
        """Forget what was written: it has been rolled back, or is about to begin."""
        self._written = self._unchanged = 0
        self._buried = self._vanished = 0
        self._keys.clear()
        self.replaced = None

    @property
    def looks(self) -> bool:
        """Whether changed rows are still wanted, and there may be some."""
        return self._rows_before > 0 and len(self._keys) < MOST_EXAMPLES

    def note(self, changed: Sequence[Key]) -> None:
        """Note the keys of rows that were changed, as many as will be shown."""
        new = [key for key in dict.fromkeys(changed) if key not in self._keys]
        self._keys += new[: MOST_EXAMPLES - len(self._keys)]

    def count(self, chunk: Chunk, written: Written) -> None:
        """Count a chunk that was written."""
        self._written += written.written - written.deleted
        self._buried += written.deleted
        known = sum(batch.page.known for batch in chunk.batches)
        self._unchanged += written.unchanged + known

    def count_vanished(self, rows: int) -> None:
        """Count rows that the source has no more."""
        self._vanished = rows

    def difference(self, connection: Connection, report: RunReport) -> Difference:
        """Return the difference as it stands, without examples."""
        after = self._table(connection)
        found = self._rows(connection, after, report)
        before = {} if self._before is None else self._before.columns
        if after is None:
            return found
        found.table_created = self._before is None
        for name, held in after.columns.items():
            if name not in before:
                found.columns_added[held.name] = held.declared
            elif before[name].declared != held.declared:
                found.columns_widened[held.name] = f"{before[name].declared} to {held.declared}"
        return found

    def examples(self, before: Connection, after: dict[Key, dict[str, object]]) -> list[ChangedRow]:
        """Return the changed rows: as they are in the database, and as they would be."""
        if self._before is None:
            return []
        old = self.look_up(before, self._before, list(after))
        pairs = ((old[key], after[key]) for key in after if key in old)
        rows = (changed_row(self.key, *pair) for pair in pairs)
        return [row for row in rows if row is not None]

    def after(self, connection: Connection) -> dict[Key, dict[str, object]]:
        """Return the noted rows as they are now."""
        relation = self._table(connection)
        if relation is None or not self._keys:
            return {}
        now = self.look_up(connection, relation, self._keys)
        return {key: dict(now[key]) for key in self._keys if key in now}

    def _rows(
        self, connection: Connection, after: Relation | None, report: RunReport
    ) -> Difference:
        mode = self._push.mode
        if mode == "replace":
            if self.replaced is not None or self._before is not None:
                return self.replaced or Difference()
            return Difference(new=0 if after is None else rows_in(connection, after.name))
        unchanged = min(self._unchanged, report.records.unchanged)
        if mode == "append" or after is None:
            return Difference(new=self._written, unchanged=unchanged)
        added = self._count(connection, after) - self._rows_before + self._gone
        new = max(0, min(added, self._written))
        removed = self._buried + self._vanished
        return Difference(
            new=new, changed=self._written - new, unchanged=unchanged, removed=removed
        )

    @property
    def _gone(self) -> int:
        """How many of the rows that would be removed are counted no more: all but marked ones."""
        if self._push.mode == "history":
            return self._buried + self._vanished
        deleted, vanished = self._push.deleted, self._push.vanished
        buried = self._buried if deleted is not None and deleted.rows == "delete" else 0
        return buried + (self._vanished if vanished.rows == "delete" else 0)

    def _count(self, connection: Connection, relation: Relation) -> int:
        return rows_in(connection, relation.name, open_in=self.open_in(relation))

    def open_in(self, relation: Relation) -> str | None:
        """Return the column that tells open versions from others, None where all rows count."""
        until = relation.columns.get(VALID_TO) if self._push.mode == "history" else None
        return None if until is None else until.name

    def look_up(
        self, connection: Connection, relation: Relation, keys: Sequence[Key]
    ) -> dict[Key, Image]:
        """Return the rows of these keys as they are, or their open versions, without astrio's."""
        open_in = self.open_in(relation)
        found = images(connection, self._dialect, relation, self.key, keys, open_in=open_in)
        untold = {DIGEST} if open_in is None else {DIGEST, VALID_FROM, VALID_TO}
        return {
            key: {name: value for name, value in row.items() if name.lower() not in untold}
            for key, row in found.items()
        }

    def _table(self, connection: Connection) -> Relation | None:
        found = self._dialect.describe(connection, self._push.table)
        return None if found is None or found.is_view else found


class WatchedWriter(Writer):
    """A writer that looks at rows before it changes them, until enough have been seen."""

    def __init__(self, dialect: Dialect, push: PushSettings, table: str, watch: Watch) -> None:
        super().__init__(dialect, push, table)
        self._watch = watch

    def _put(
        self,
        connection: Connection,
        rows: Rows,
        columns: Sequence[Column],
        fitted: tuple[Relation, Sequence[Held]],
        written: Written,
    ) -> Rows:
        if not self._watch.looks:
            return super()._put(connection, rows, columns, fitted, written)
        relation, held = fitted
        keys = self._keys(rows, columns, held)
        before = self._watch.look_up(connection, relation, keys)
        earlier = written.written
        accepted = super()._put(connection, rows, columns, fitted, written)
        if before and written.written > earlier:
            after = self._watch.look_up(connection, relation, keys)
            self._watch.note([key for key in before if after.get(key) != before[key]])
        return accepted

    def _keys(self, rows: Rows, columns: Sequence[Column], held: Sequence[Held]) -> list[Key]:
        values = [tuple(row[place] for place in rows.key) for row in rows.rows]
        its_columns = [columns[place] for place in rows.key]
        return list(dict.fromkeys(encoded(values, its_columns, [held[at] for at in rows.key])))
