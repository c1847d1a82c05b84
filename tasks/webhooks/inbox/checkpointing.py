"""Moving what was written from SQLite's log into the database, while nobody waits for it."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

from astrio.tasks.ledger.opening import Ledger


class Checkpointer:
    """Checkpoints astrio's own SQLite file over a connection of its own.

    Otherwise each 4 MB a commit does it, and whoever waits for that commit waits longer: the
    99th percentile of a commit's time is then half as much again.
    """

    def __init__(self, ledger: Ledger) -> None:
        """Take the ledger, which is astrio's own file."""
        self._file = ledger.database.reference
        self._connection: sqlite3.Connection | None = None

    def checkpoint(self) -> None:
        """Move what can be moved without keeping anybody waiting; calls follow one another."""
        with suppress(sqlite3.Error):  # the next one, or a commit, makes up for it
            if self._connection is None:
                self._connection = sqlite3.connect(self._file, check_same_thread=False)
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
