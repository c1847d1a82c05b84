"""A run's side of the quarantine: which rejects go in, which records leave it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from astrio.blocks.errors import TooManyRejectsError
from astrio.tasks.batch import Batch, Reject
from astrio.tasks.destinations.base import Written
from astrio.tasks.destinations.settings import QuarantineSettings
from astrio.tasks.destinations.sql import moment, quarantine, replaying, retention
from astrio.tasks.destinations.sql.dialect import Dialect
from astrio.tasks.destinations.sql.stream import Stamp, Stream

MOST_REJECTS: Final = 100_000


class Quarantining:
    """Keeps the rejects of one run; every call with a connection is within its transaction.

    Attributes:
        identities: keys (or content hashes) of the stream's open rows.
    """

    def __init__(
        self,
        dialect: Dialect,
        stream: Stream,
        keeping: QuarantineSettings,
        *,
        staged: bool,
        most: int,
    ) -> None:
        """Take the stream and how long records are kept.

        Args:
            dialect: the database's.
            stream: whose records these are.
            keeping: how long they are kept.
            staged: what is written is shown at the end only (`replace`).
            most: how many rejects of an atomic slice are kept for the case of its failure.
        """
        self._dialect = dialect
        self._stream = stream
        self._keeping = keeping
        self._staged = staged
        self._most = most
        self._mended: set[str] = set()
        self._unkept: list[Reject] = []
        self._atomic = False
        self._lost = 0
        self.identities: set[str] = set()

    def load(self, connection: Connection) -> None:
        """Look up who is in the quarantine; nobody is mended yet."""
        self._mended.clear()
        self.identities = quarantine.open_identities(connection, self._stream)

    def begin(self, *, atomic: bool) -> None:
        """Begin a slice; one that is `atomic` may be rolled back as a whole."""
        self._atomic = atomic
        self._lost = 0

    def settle(
        self,
        connection: Connection,
        stamp: Stamp,
        batches: Sequence[Batch],
        written: Written,
        mended: set[str],
    ) -> tuple[set[str], set[str]]:
        """Put a chunk's rejects in, let the written ones out.

        Returns:
            Who is out, and who is in; it holds once the chunk is committed (`note`).

        Raises:
            TooManyRejectsError: an atomic slice has more rejects than can be kept.
        """
        rejects = [reject for batch in batches for reject in batch.rejects]
        rejects += [*written.rejected, *written.failed]
        if stored := replaying.replayed(batches):
            return replaying.settle(connection, stamp, stored, rejects, self.identities)
        kept = self._add(connection, stamp, rejects)
        if self._atomic:
            self._unkept += rejects
        if len(self._unkept) > self._most:
            raise TooManyRejectsError(
                f"More than {self._most} records were rejected in a slice that is "
                "written in one transaction.",
                advice="See why with `astrio quarantine list`, then mend the mapping.",
            )
        if not self._staged:
            quarantine.resolve(connection, stamp, mended - kept)
        return mended, kept

    def settle_again(
        self,
        connection: Connection,
        stamp: Stamp,
        batches: Sequence[Batch],
        written: Written,
        mended: set[str],
    ) -> None:
        """Do as `settle` did before the transaction was rolled back, and count nothing anew."""
        unkept, lost = self._unkept, self._lost
        self._unkept = []
        try:
            self.settle(connection, stamp, batches, written, mended)
        finally:
            self._unkept, self._lost = unkept, lost

    def note(self, mended: set[str], kept: set[str]) -> None:
        """Note who is in the quarantine, and who will leave it when the staged rows are shown."""
        if self._staged:
            self._mended = (self._mended | mended) - kept
            mended = set()
        self.identities = (self.identities - mended) | kept

    def close(self, connection: Connection, stamp: Stamp) -> list[str]:
        """End the slice: let the staged ones out, keep none for too long; return what to tell."""
        if self._staged:
            quarantine.resolve(connection, stamp, self._mended)
        told = retention.enforce(connection, self._stream, self._keeping, moment.read(stamp.at))
        if self._lost:
            told.append(
                f"{self._lost} rejected records are nested too deeply, or hold numbers too long, "
                "or are too large, to be kept: the quarantine lists them, but they cannot be "
                "replayed."
            )
        return told

    def forget(self) -> list[Reject]:
        """Return the rejects that an atomic slice would lose, and forget them."""
        rejects, self._unkept = self._unkept, []
        return rejects

    def rescue(self, connection: Connection, stamp: Stamp, rejects: list[Reject]) -> None:
        """Keep the rejects of an atomic slice that was rolled back: they tell why it failed."""
        self._add(connection, stamp, rejects)

    def _add(self, connection: Connection, stamp: Stamp, rejects: list[Reject]) -> set[str]:
        added = quarantine.add(connection, self._dialect, stamp, rejects)
        self._lost += added.lost
        return added.identities
