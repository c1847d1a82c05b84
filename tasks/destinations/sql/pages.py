"""Pages that change nothing in the table, remembered from run to run (`push.unchanged: skip`).

A page is remembered if, at the end of a run, writing it once more would change no row. What proves
that is the number of rows: a run that has changed no row, or has added each row that it wrote, has
left every page that it met as it was. Where rows have been changed, the pages whose keys may be
among these are forgotten; where the keys cannot be told for certain, all are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, select

from astrio.tasks.batch import Batch
from astrio.tasks.destinations.base import Written
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.sql import page_state
from astrio.tasks.destinations.sql.dialect import Dialect, Held, Relation
from astrio.tasks.destinations.sql.keys import key_columns
from astrio.tasks.destinations.sql.kinds import Kind
from astrio.tasks.destinations.sql.page_state import Head, Standing
from astrio.tasks.destinations.sql.stream import Stamp, Stream
from astrio.tasks.destinations.sql.tables import made_column
from astrio.tasks.report import RunReport
from astrio.tasks.unchanged.known import KnownPages
from astrio.tasks.unchanged.mark import Keys, Mark, Remembered

MOST_KEYS: Final = 500_000
"""Keys of changed pages that are compared with those of all others; beyond, all are forgotten."""
_DIFFERENT: Final = (
    "Rows differed from pages that have not changed: something else writes to the table. "
    "`push.unchanged: skip` is for tables that are the integration's own."
)
_INTEGERS: Final = frozenset({Kind.INT, Kind.LONG})


class Pages:
    """The pages of one run; nothing is looked up or kept unless the run asks for it."""

    def __init__(self, dialect: Dialect, stream: Stream, push: PushSettings) -> None:
        """Take the stream, and how its rows meet those that are there."""
        self._dialect = dialect
        self._stream = stream
        self._push = push
        self._before: Standing | None = None
        self._turn = 0
        self._known: dict[bytes, Remembered] = {}
        self._met: dict[bytes, Remembered] = {}
        self._looked_at: dict[bytes, None] = {}
        self._touched: list[Keys | None] = []
        self._unsafe: list[Keys | None] = []
        self._written = self._deleted = 0
        self._lost = self._differs = self._skipped = False

    def open(self, connection: Connection, fingerprint: str | None) -> KnownPages | None:
        """Return the pages that stand in the table as they were read last."""
        if fingerprint is None:
            return None
        relation = self._relation(connection)
        self._before = now = self._standing(connection, relation, fingerprint)
        told = page_state.head(connection, self._stream)
        self._turn = 0 if told is None else told.turn + 1
        self._known = {}
        if told is not None and told.standing == now:
            self._known = page_state.load(connection, self._stream)
        if self._known and not self._tells_keys(connection, relation):
            self._known = {
                digest: Remembered(page.fetched, page.filtered, None)
                for digest, page in self._known.items()
            }
        return KnownPages(self._known, self._turn)

    def note(self, batches: Sequence[Batch], written: Written) -> None:
        """Note the pages of a chunk that has been committed."""
        if self._before is None:
            return
        table = written.table
        refused = bool(written.rejected or written.failed or written.filtered)
        doubtful = refused or bool(table.discarded_values or table.discarded_rows)
        self._lost |= bool(table.widened)
        self._written += written.written
        self._deleted += written.deleted
        for batch in batches:
            self._note(batch, batch.page.mark, doubtful=doubtful)
        self._differs |= bool(written.written) and self._looked_at.keys() <= self._known.keys()

    def _note(self, batch: Batch, mark: Mark | None, *, doubtful: bool) -> None:
        page = batch.page
        if mark is None:  # it was read by a run that goes on with another one's pages
            self._lost = True
        elif mark.skipped:
            self._skipped = True
            self._met[mark.digest] = self._known[mark.digest]
        elif page.fetched:
            again = bool(mark.digest) and mark.digest in self._looked_at
            self._touched += [] if again else [mark.keys]
            self._looked_at[mark.digest] = None
            if doubtful or batch.rejects or batch.broken or page.deletions:
                self._met.pop(mark.digest, None)
                self._unsafe.append(mark.keys)
            elif mark.digest:
                self._met[mark.digest] = Remembered(page.fetched, page.filtered, mark.keys)

    def close(self, connection: Connection, stamp: Stamp, report: RunReport) -> None:
        """Remember the pages that a later run may skip; called last, as it looks at all else."""
        if self._before is None:
            return
        relation = self._relation(connection)
        after = self._standing(connection, relation, self._before.fingerprint)
        report.warnings += [_DIFFERENT] if self._differs else []
        in_doubt = self._lost or (self._differs and self._skipped)
        if in_doubt or after.others != self._before.others:
            page_state.forget(connection, self._stream)
            return
        kept = self._kept(connection, relation, after)
        same = kept.keys() == self._known.keys() and not self._written
        told = Head(after, self._turn)
        page_state.save(connection, self._dialect, stamp, told, None if same else kept)

    def _kept(
        self, connection: Connection, relation: Relation | None, after: Standing
    ) -> dict[bytes, Remembered]:
        """Return the pages met of which no row has been changed since."""
        added = after.rows - (self._before.rows if self._before else 0)
        only_added = not self._deleted and added == self._written
        if only_added:
            return self._without(_all(self._unsafe))
        exact = self._tells_keys(connection, relation)
        touched = _all(self._touched) if exact else None
        if touched is None:
            return {}
        several = {key for key, pages in touched.items() if pages > 1}
        unsafe = _all(self._unsafe) or Counter()
        return {
            digest: page
            for digest, page in self._met.items()
            if page.keys is not None
            and unsafe.keys().isdisjoint(page.keys)
            and (several if digest in self._looked_at else touched.keys()).isdisjoint(page.keys)
        }

    def _without(self, keys: Counter[int] | None) -> dict[bytes, Remembered]:
        if keys is None:
            return {}
        if not keys:
            return self._met
        return {
            digest: page
            for digest, page in self._met.items()
            if page.keys is not None and keys.keys().isdisjoint(page.keys)
        }

    def _standing(
        self, connection: Connection, relation: Relation | None, fingerprint: str
    ) -> Standing:
        return Standing(
            fingerprint,
            page_state.rows_in(connection, relation),
            page_state.columns_of(relation),
            page_state.others(connection, self._stream),
            page_state.own(connection, self._stream),
        )

    def _relation(self, connection: Connection) -> Relation | None:
        return self._dialect.describe(connection, self._stream.table)

    def _tells_keys(self, connection: Connection, relation: Relation | None) -> bool:
        """Whether the key's columns tell apart what differs as a text, and nothing else.

        That is so for integers, and for texts where astrio has made the column.
        """
        held = [] if relation is None else key_columns(relation, self._push.key)
        return bool(held) and all(self._is_exact(connection, each) for each in held)

    def _is_exact(self, connection: Connection, held: Held) -> bool:
        if held.kind in _INTEGERS:
            return True
        its = made_column.c
        mine = (
            its.table_name == self._stream.table.lower(),
            its.column_name == held.name.lower(),
        )
        made = connection.execute(select(its.kind).where(*mine)).first()
        return held.kind is Kind.TEXT and made is not None


def _all(some: Iterable[Keys | None]) -> Counter[int] | None:
    """Return on how many pages each key stands; None: that cannot be told."""
    counts = Counter[int]()
    for keys in some:
        if keys is None or len(counts) > MOST_KEYS:
            return None
        counts.update(set(keys) if len(set(keys)) == len(keys) else [*keys, *set(keys)])
    return counts
