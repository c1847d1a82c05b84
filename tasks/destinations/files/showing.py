"""Showing a file: what the ledger notes before it, and what it settles afterwards.

Two transactions of the ledger enclose the moment at which the file is shown. The first notes
everything that the second will do; between them the file is put in its place, which may be
repeated. So a process that dies leaves either a file that was never shown, and a stream as it was,
or a note from which the next run finishes: no record is lost, and none is written twice.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.destinations.base import RunIdentity, StreamState
from astrio.tasks.destinations.files.place import NotShownYetError, Place, Traces
from astrio.tasks.destinations.files.publication import Publication
from astrio.tasks.destinations.files.settling import LateQuarantining
from astrio.tasks.destinations.files.spool import Spool
from astrio.tasks.destinations.files.target import FilesTarget
from astrio.tasks.destinations.part import Part
from astrio.tasks.destinations.settings import PushSettings, QuarantineSettings
from astrio.tasks.destinations.sql import checkpoint, effects, moment, partitions, parts, profiles
from astrio.tasks.destinations.sql.database import transaction
from astrio.tasks.destinations.sql.destination import SqlDestination
from astrio.tasks.destinations.sql.quarantining import MOST_REJECTS
from astrio.tasks.destinations.sql.stream import Stamp
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.report import RunReport

_ROWS_OF: Final = "file:"


def _nowhere(_point: str) -> None:
    """Take the place of what tests do between two steps."""


class ShownFiles(SqlDestination):
    """One stream's files, and what the ledger remembers of them."""

    _spool: Spool | None = None

    def __init__(
        self,
        push: PushSettings,
        integration: str,
        keeping: QuarantineSettings | None = None,
        *,
        passing: Callable[[str], None] = _nowhere,
        **how: Any,
    ) -> None:
        """Take the settings; nothing is written before `begin_slice`.

        Args:
            push: the file, the mode, and the key by which the quarantine knows a record.
            integration: name of the stream's integration.
            keeping: how long rejected records are kept.
            passing: called at each step by which a file is shown.
            **how: as `SqlDestination`.

        Raises:
            ConfigurationError: a variable is not set, what the place needs is not installed, or the
                mode means nothing for such a name.
        """
        super().__init__(push, integration, keeping, **how)
        assert isinstance(push.to, FilesTarget)
        self._to = push.to
        self._push = push
        self._refuse_adding()
        self._place: Place = push.to.place(self._stream.id)
        self._replaces = False  # no table is staged, whatever the mode
        self._rejects: LateQuarantining = LateQuarantining(
            self._dialect,
            self._stream,
            keeping or QuarantineSettings(),
            staged=True,
            most=how.get("most_rejects", MOST_REJECTS),
        )
        self._passing = passing
        self._pending: Publication | None = None
        self._told: list[str] = []

    def only(self, part: Part) -> None:
        """Let this opening be one of a part of the stream: each part adds files of its own."""
        super().only(part)
        self._place = self._to.place(self._stream.id)

    def open(self, run: RunIdentity, *, wait: bool = False) -> StreamState:
        """Take the stream's lease, and finish what a run before could not."""
        with Ledger().writing():
            pass  # it is made, if it is missing
        state = super().open(run, wait=wait)
        try:
            self._pending = Publication.read(state.resume)
            if self._pending is not None:
                self._finish_earlier(self._pending)
                with self._database.explained(), self._transaction() as connection:
                    state = self._state(connection)
        except BaseException:
            self._pending = None
            self.close()
            raise
        return replace(state, resume=None)

    @property
    def renews_apart(self) -> bool:
        """Whether `renew` may be called from another thread: no transaction stays open for long."""
        return True

    def renew(self) -> None:
        """Extend the lease, on a connection of its own."""
        with (
            self._database.explained(),
            self._database.connect() as other,
            transaction(other) as connection,
        ):
            self._lease.extend(connection)

    def close(self) -> None:
        """Release the lease, and leave no file behind that will not be shown."""
        with suppress(Exception):
            if self._pending is not None and not self._pending.due:
                self._drop(self._pending)
        super().close()

    def _refuse_adding(self) -> None:
        push, to = self._push, self._to
        if push.mode in to.modes and (push.mode == "replace" or to.adds):
            return
        raise ConfigurationError(
            f"{self._stream.integration} writes {to.reference} anew with each run, so nothing can "
            "be added to it.",
            advice="Run it again as a whole (`mode: replace`); or let each run add a file: put "
            "{{run_id}} into the name, or end it with /.",
        )

    @property
    def _adds(self) -> bool:
        return self._push.mode == "append"

    def _state(self, connection: Connection) -> StreamState:
        state = parts.load(connection, self._stream, self._part)
        return replace(state, profile=profiles.load(connection, self._stream))

    def _finish_earlier(self, pending: Publication) -> None:
        """Show the file of a run that died, or remove what it left."""
        report = RunReport.model_validate(pending.report) if pending.due else None
        if report is not None and self._shown(pending):
            self._rejects.expect(pending.mended, pending.closing)
            self._settle(pending, report)
            self._told = [
                f"An earlier run had ended before its file was shown: this run has put "
                f"{self._place.shown(pending.traces)} in its place first."
            ]
        else:
            with self._database.explained(), self._transaction() as connection:
                self._save(connection, clear_resume=True)
            self._place.discard(pending.traces)
        self._pending = None
        with self._database.explained(), self._transaction() as connection:
            self._rejects.load(connection)

    def _show(self, pending: Publication) -> None:
        try:
            shown = self._shown(pending)
        except NotShownYetError:
            raise
        except BaseException:
            self._pending = replace(pending, due=False)
            raise
        if not shown:
            self._pending = replace(pending, due=False)
            raise NotShownYetError(
                f"What was to become {self._place.shown(pending.traces)} has been removed "
                "meanwhile.",
                advice="Run again, and leave astrio's temporary files alone.",
            )

    def _shown(self, pending: Publication) -> bool:
        return self._place.publish(pending.traces)

    def _note(self, pending: Publication) -> None:
        with self._database.explained(), self._transaction() as connection:
            self._save(connection, resume=pending.to_json())
            self._lease.extend(connection)
        self._pending = pending

    def _settle(self, pending: Publication, report: RunReport) -> None:
        """Move the stream's state on, now that the file is shown."""
        now = moment.written(self._clock())
        stamp = Stamp(self._stream, pending.run_id, now, pending.started, pending.mapping)
        rows = {_ROWS_OF + self._place.shown(pending.traces): pending.rows}
        with self._database.explained(), self._transaction() as connection:
            report.warnings += self._rejects.close(connection, stamp)
            report.file = pending.written
            checkpoint.end_run(connection, stamp, report)
            profiles.save(connection, self._dialect, stamp, pending.profile)
            kept = {} if self._to.adds else rows
            partitions.save(connection, self._dialect, stamp, pending.partitions | kept)
            effects.save(connection, self._dialect, stamp, pending.effects)
            marks: dict[str, Any] = {"watermark": pending.watermark, "ties": pending.ties}
            checkpoint.save(connection, stamp, **marks, clear_resume=True)
            parts.end(connection, self._dialect, stamp, self._part, report)
            self._lease.extend(connection)
        self._pending = None
        self._rejects.forget()

    def _rows_there(self, traces: Traces) -> int:
        """Return how many rows the file had that is being replaced, if an earlier run wrote it."""
        if self._adds or not self._place.there(traces):
            return 0
        name = _ROWS_OF + self._place.shown(traces)
        found = self.partitions([name])
        return int(found.get(name, 0))

    def _drop(self, pending: Publication) -> None:
        if self._spool is not None:
            self._spool.close()
        self._place.discard(pending.traces)
        self._pending = None
