"""Which keys a run has met: a table of its own, which grows with the chunks that write the rows.

Nothing is written to rows that have not changed, and nothing is kept where nothing can vanish: in
a table that was empty when the run began. Where a run is resumed, so are the keys it has met.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, TableClause, inspect

from astrio.tasks.batch import Batch
from astrio.tasks.columns import RESERVED
from astrio.tasks.destinations.sql import changing, partitions
from astrio.tasks.destinations.sql.bulk import Bulk
from astrio.tasks.destinations.sql.changing import TableChange
from astrio.tasks.destinations.sql.clauses import has_rows, table_of
from astrio.tasks.destinations.sql.dialect import Dialect, Held, Target, quoted, run
from astrio.tasks.destinations.sql.digests import digest
from astrio.tasks.destinations.sql.keys import fitted_keys, key_columns, keys_of
from astrio.tasks.destinations.sql.stream import Stamp, Stream
from astrio.tasks.destinations.sql.tables import partition
from astrio.tasks.report import TableChanges

_NOTE: Final = "seen:run"
RESTARTED: Final = "the run that made the table had to read the source twice"
RESUMED: Final = "the run was begun without looking for them"
REMOVED: Final = "the table of the keys that were met has been removed"
NAMELESS: Final = "a record was rejected whose key is not known"


class Seen:
    """The keys that a run has met; every call works within the caller's transaction.

    Attributes:
        name: the table's name, one of astrio's own.
        why_not: why they are not all known, None if they are.
        watching: whether there are any to be known.
    """

    def __init__(self, dialect: Dialect, stream: Stream, key: Sequence[str]) -> None:
        """Take the stream, and the fields by which its rows are told apart."""
        self.name = f"{RESERVED}seen_{digest(stream.id)}"
        self.why_not: str | None = None
        self.watching = False
        self._dialect = dialect
        self._stream = stream
        self._key = tuple(key)
        self._types: list[str] = []

    def begin(self, connection: Connection, stamp: Stamp, *, resumed: bool) -> None:
        """Begin to note keys, or go on where the run that is resumed has stopped."""
        note = partitions.load(connection, self._stream, [_NOTE]).get(_NOTE) or {}
        if resumed and note.get("run") == stamp.run_id and note.get("key") == list(self._key):
            self.watching, self.why_not = note["watching"], note["why_not"]
            self._types = note["types"]
            return
        self._start(connection, stamp)
        if resumed:
            self._lost(connection, stamp, RESUMED)

    def start_again(self, connection: Connection, stamp: Stamp) -> None:
        """Forget the keys: the source is read from its beginning once more."""
        if self._dialect.undoes_changes:
            self._start(connection, stamp)
        elif self.watching:
            # Within the chunk's transaction, which making the table anew would commit.
            connection.execute(table_of(self.name).delete())
            self.why_not = None
            self._save(connection, stamp)
        else:
            self._lost(connection, stamp, RESTARTED)

    def add(self, connection: Connection, stamp: Stamp, batches: Sequence[Batch]) -> None:
        """Note the keys of these records: also of those that are rejected, as they are there."""
        if not self.watching:
            return
        rejects = [reject.key for batch in batches for reject in batch.rejects]
        keys = [key for batch in batches for key in keys_of(batch, self._key)]
        keys += [key for key in rejects if key is not None and None not in key]
        records = len(rejects) + sum(len(batch.rows) for batch in batches)
        held = self._fit(connection, stamp)
        if self.why_not is None and len(keys) < records:
            self._lost(connection, stamp, NAMELESS)
        if held and keys:
            names = tuple(each.name for each in held)
            target = Target(self.name, names, declared=tuple(each.declared for each in held))
            fitted = fitted_keys(self._dialect, held, keys)
            # What the database refuses can be the key of no row.
            Bulk(connection, self._dialect, target).write(fitted)

    def index(self, connection: Connection) -> None:
        """Make the keys quick to look up, once all are there."""
        if not self.watching:
            return
        if self._dialect.describe(connection, self.name) is None:
            self.watching, self.why_not = False, REMOVED
            return
        if inspect(connection).get_indexes(self.name):
            return
        names = ", ".join(quoted(each.name) for each in self._held(connection))
        run(
            connection,
            f"CREATE INDEX {quoted(f'{self.name}_key')} ON {quoted(self.name)} ({names})",
        )

    def clause(self, names: Sequence[str]) -> TableClause:
        """Return the table of the keys."""
        return table_of(self.name, names)

    def forget(self, connection: Connection) -> None:
        """Forget which run it was."""
        mine = (partition.c.stream == self._stream.id, partition.c.partition == _NOTE)
        connection.execute(partition.delete().where(*mine))
        self.watching = False

    def drop(self, connection: Connection) -> None:
        """Remove the table, if there is one."""
        run(connection, f"DROP TABLE IF EXISTS {quoted(self.name)}")

    def _start(self, connection: Connection, stamp: Stamp) -> None:
        self.drop(connection)
        self.why_not, self._types = None, []
        relation = self._dialect.describe(connection, self._stream.table)
        held = [] if relation is None else key_columns(relation, self._key)
        self.watching = False
        if relation is not None and held and has_rows(connection, table_of(relation.name)):
            names = ", ".join(quoted(each.name) for each in held)
            rows = f"SELECT {names} FROM {quoted(relation.name)} WHERE 1 = 0"  # noqa: S608 (names are quoted)
            how = self._dialect.made_of(connection)
            run(connection, f"CREATE TABLE {quoted(self.name)}{how} AS {rows}")
            self.watching, self._types = True, [each.declared for each in held]
        self._save(connection, stamp)

    def _fit(self, connection: Connection, stamp: Stamp) -> list[Held]:
        """Let the table hold what the key's columns have come to hold, and return these."""
        held = self._held(connection)
        types = [each.declared for each in held]
        own = self._dialect.describe(connection, self.name)
        if own is None or not held:
            self.watching = False
            self._lost(connection, stamp, REMOVED)
            return []
        pairs = zip(held, types, self._types, strict=True)
        changed = {each.name: each.kind for each, now, before in pairs if now != before}
        if changed and not (self._dialect.undoes_changes or changing.are_allowed(connection)):
            raise TableChange(self.name, (self.name, *types), partial(self._change, stamp))
        if changed:
            self._dialect.retype(connection, own, changed)
            self._types = types
            self._save(connection, stamp)
        return held

    def _change(self, stamp: Stamp, connection: Connection) -> TableChanges:
        with changing.allowed(connection):
            self._fit(connection, stamp)
        return TableChanges()

    def _held(self, connection: Connection) -> list[Held]:
        relation = self._dialect.describe(connection, self._stream.table)
        return [] if relation is None else key_columns(relation, self._key)

    def _lost(self, connection: Connection, stamp: Stamp, why: str) -> None:
        self.why_not = why
        self._save(connection, stamp)

    def _save(self, connection: Connection, stamp: Stamp) -> None:
        note: dict[str, Any] = {
            "run": stamp.run_id,
            "key": list(self._key),
            "watching": self.watching,
            "why_not": self.why_not,
            "types": self._types,
        }
        partitions.save(connection, self._dialect, stamp, {_NOTE: note})
