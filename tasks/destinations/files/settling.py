"""Rejects of a run whose rows are seen at its end only: what leaves the quarantine waits for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from astrio.tasks.batch import Batch
from astrio.tasks.destinations.base import Written
from astrio.tasks.destinations.sql import replaying
from astrio.tasks.destinations.sql.quarantining import Quarantining
from astrio.tasks.destinations.sql.stream import Stamp


class LateQuarantining(Quarantining):
    """Takes rejects in with their chunk, and lets none out before `close`."""

    _closing: dict[int, None]

    def begin(self, *, atomic: bool) -> None:
        """Begin a slice."""
        super().begin(atomic=atomic)
        self._mended.clear()
        self._closing = {}

    @property
    def leaving(self) -> tuple[list[str], list[int]]:
        """Who leaves the quarantine at the end: identities, and ids of replayed rows."""
        return sorted(self._mended), list(self._closing)

    def expect(self, mended: Iterable[str], closing: Iterable[int]) -> None:
        """Let these leave at the end, as another process has found."""
        self._mended = set(mended)
        self._closing = dict.fromkeys(closing)

    def settle(
        self,
        connection: Connection,
        stamp: Stamp,
        batches: Sequence[Batch],
        written: Written,
        mended: set[str],
    ) -> tuple[set[str], set[str]]:
        """Put a chunk's rejects in; a replay's others are closed at the end."""
        stored = replaying.replayed(batches)
        if not stored:
            return super().settle(connection, stamp, batches, written, mended)
        rejects = [reject for batch in batches for reject in batch.rejects]
        rejects += [*written.rejected, *written.failed]
        again = {id(reject.record) for reject in rejects}
        kept = [each for each in stored if id(each.record) in again]
        settled = replaying.settle(connection, stamp, kept, rejects, self.identities)
        self._closing |= dict.fromkeys(each.id for each in stored if each not in kept)
        return settled

    def close(self, connection: Connection, stamp: Stamp) -> list[str]:
        """End the slice: let out who leaves, keep none for too long; return what to tell."""
        replaying.close(connection, stamp, self._closing)
        return super().close(connection, stamp)
