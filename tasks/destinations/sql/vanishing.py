"""`push.vanished`: at the end of a run that has read everything, what becomes of other rows."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, TableClause, and_, func, select
from sqlalchemy.sql.elements import ColumnElement

from astrio.blocks.errors import ConfigurationError, TooManyVanishedError
from astrio.tasks.batch import Batch
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.sql.clauses import table_of, unmatched
from astrio.tasks.destinations.sql.closing import close, present
from astrio.tasks.destinations.sql.dialect import Dialect, Relation
from astrio.tasks.destinations.sql.families import Families
from astrio.tasks.destinations.sql.history import begun
from astrio.tasks.destinations.sql.keys import fitted_value, key_columns
from astrio.tasks.destinations.sql.seen import Seen
from astrio.tasks.destinations.sql.stream import Stamp, Stream
from astrio.tasks.destinations.sql.tables import checkpoint
from astrio.tasks.destinations.vanishing import DELETED_AT
from astrio.tasks.quality.settings import share_of
from astrio.tasks.report import RunReport


class Vanishing:
    """Finds the rows that a whole reading has not met, and marks or deletes them.

    Every call works within the caller's transaction.
    """

    def __init__(self, dialect: Dialect, stream: Stream, push: PushSettings) -> None:
        """Take the stream and its settings."""
        self._dialect = dialect
        self._stream = stream
        self._push = push
        self._settings = push.vanished
        self._seen = Seen(dialect, stream, push.key)
        self._active = False

    def begin(self, connection: Connection, stamp: Stamp, *, whole: bool, resumed: bool) -> None:
        """Begin a slice; of one that is not `whole`, nothing is concluded.

        Raises:
            ConfigurationError: another integration writes to the table, too.
        """
        if self._settings.rows == "keep":
            self._seen.drop(connection)  # a run of before may have left it
            return
        self._active = whole
        if whole:
            self._refuse_others(connection)
            self._seen.begin(connection, stamp, resumed=resumed)

    def note(self, connection: Connection, stamp: Stamp, batches: Sequence[Batch]) -> None:
        """Note which records a chunk holds."""
        if self._active:
            if any(batch.page.restart for batch in batches):
                self._seen.start_again(connection, stamp)
            self._seen.add(connection, stamp, batches)

    @property
    def why_not(self) -> str | None:
        """Why nothing can be concluded; set it back where what was noted is rolled back."""
        return self._seen.why_not

    @why_not.setter
    def why_not(self, why_not: str | None) -> None:
        self._seen.why_not = why_not

    @property
    def looks(self) -> bool:
        """Whether `close` has to look for rows."""
        return self._active and self._seen.watching

    @property
    def made(self) -> bool:
        """Whether there may be something to `clean`."""
        return self._active

    def ready(self, connection: Connection) -> None:
        """Prepare for `close`, in a transaction of its own: a crash after it does no harm."""
        self._seen.index(connection)

    def close(self, connection: Connection, stamp: Stamp, report: RunReport) -> None:
        """Mark or delete the rows that the run has not met, and count them in its report.

        Raises:
            TooManyVanishedError: they are more than the file allows, or all.
        """
        if not self._active:
            return
        why_not = self._why_not(report)
        if why_not is not None:
            report.warnings.append(f"Rows that have vanished were not looked for: {why_not}.")
        elif self._seen.watching:
            report.records.deleted += self._settle(connection, stamp)
        self._seen.forget(connection)

    def clean(self, connection: Connection) -> None:
        """Remove what the run has noted, once it has ended, or will not be gone on with."""
        if self._settings.rows != "keep":
            self._seen.forget(connection)
            self._seen.drop(connection)

    def _why_not(self, report: RunReport) -> str | None:
        if report.stop_reason == "limit":
            return "max_pages ended the reading early"
        if report.parents is not None and report.parents.missing:
            return f"the API had no children to read for {report.parents.missing} parents"
        return self._seen.why_not

    def _refuse_others(self, connection: Connection) -> None:
        named = checkpoint.c.stream.endswith(f":{self._stream.table.lower()}", autoescape=True)
        mine = checkpoint.c.integration != self._stream.integration
        others = connection.execute(select(checkpoint.c.integration).where(named, mine).limit(1))
        other = others.scalar()
        if other is not None:
            raise ConfigurationError(
                f"{other} pushes to the table {self._stream.table}, too, so that "
                f"{self._stream.integration} cannot tell which of its rows have vanished.",
                advice="Give each a table of its own, or leave `push.vanished` out. If there is no "
                f"{other} any more, delete its rows of the table _astrio_checkpoint.",
            )

    def _settle(self, connection: Connection, stamp: Stamp) -> int:
        relation = self._dialect.describe(connection, self._stream.table)
        held = [] if relation is None else key_columns(relation, self._push.key)
        if relation is None or not held:
            return 0
        rows = table_of(relation.name, [each.name for each in relation.columns.values()])
        has_key = [rows.c[each.name].is_not(None) for each in held]
        there = and_(*has_key, *present(self._push.mode, relation, rows))
        key = [each.name for each in held]
        gone = and_(there, unmatched(rows, self._seen.clause(key), key))
        missing = _count(connection, rows, gone)
        if missing:
            self._refuse_many(missing, _count(connection, rows, there))
            self._let_go(connection, stamp, relation, rows, gone)
        return missing

    def _refuse_many(self, missing: int, present: int) -> None:
        most = share_of(self._settings.most, present)
        if missing <= most and missing < present:
            return
        verb = {"mark": "marked", "close": "closed"}.get(self._settings.rows, "deleted")
        share = f"{missing} of {present}" if missing < present else f"all {present}"
        advice = (
            "If the source has lost them, or is not read to its end, mend that; if they are to "
        )
        advice += "go, raise push.vanished.most for one run."
        if missing == present:
            advice = "Mend the source, or the path of its records: an empty answer never empties "
            advice += "the table. If it is right, delete the rows by hand."
        raise TooManyVanishedError(
            f"The source has no record any more for {share} rows of {self._stream.table}, and "
            f"push.vanished.most is {self._settings.most}. None was {verb}.",
            advice=advice,
        )

    def _let_go(
        self,
        connection: Connection,
        stamp: Stamp,
        relation: Relation,
        rows: TableClause,
        gone: ColumnElement[bool],
    ) -> None:
        if self._settings.rows == "delete":
            families = Families(self._dialect, self._push, relation.name)
            families.forget(connection, relation, rows, gone)
            connection.execute(rows.delete().where(gone))
            return
        if self._push.mode == "history":
            close(connection, self._dialect, relation, rows, which=[gone], at=begun(stamp))
            return
        held = relation.columns[DELETED_AT]
        at = fitted_value(self._dialect, held, begun(stamp))
        connection.execute(rows.update().where(gone).values({held.name: at}))


def _count(connection: Connection, rows: TableClause, condition: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).select_from(rows).where(condition)).scalar_one()
