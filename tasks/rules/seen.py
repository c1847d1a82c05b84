"""The values that `unique` has seen: digests, in memory while they are few, then on disk.

A value costs some 150 bytes. Beyond 100,000 all are in a temporary SQLite database, which the
system deletes with the process, so that memory does not grow with the number of records.
"""

from __future__ import annotations

import sqlite3

from astrio.blocks.errors import RetryableError

MOST_IN_MEMORY = 100_000


class Seen:
    """Remembers the owner of each digest."""

    def __init__(self, most_in_memory: int = MOST_IN_MEMORY) -> None:
        """Start with nothing seen."""
        self._most = most_in_memory
        self._memory: dict[bytes, bytes] = {}
        self._disk: sqlite3.Connection | None = None

    def owner(self, digest: bytes) -> bytes | None:
        """Return whose value it is, None if it has not been seen."""
        if self._disk is None:
            return self._memory.get(digest)
        row = self._ask("SELECT owner FROM seen WHERE digest = ?", digest).fetchone()
        return None if row is None else row[0]

    def add(self, digest: bytes, owner: bytes) -> None:
        """Remember an owner."""
        if self._disk is not None:
            self._ask("INSERT OR IGNORE INTO seen VALUES (?, ?)", digest, owner)
            return
        self._memory[digest] = owner
        if len(self._memory) > self._most:
            self._move_to_disk()

    def forget(self) -> None:
        """Begin anew."""
        self._memory.clear()
        if self._disk is not None:
            self._disk.close()
            self._disk = None

    def _move_to_disk(self) -> None:
        # The empty name is SQLite's: a private database in a temporary file without a name.
        self._disk = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._ask("PRAGMA journal_mode = OFF")
        self._ask("CREATE TABLE seen (digest BLOB PRIMARY KEY, owner BLOB) WITHOUT ROWID")
        self._ask("BEGIN")
        for digest, owner in self._memory.items():
            self._ask("INSERT INTO seen VALUES (?, ?)", digest, owner)
        self._memory.clear()

    def _ask(self, statement: str, *values: bytes) -> sqlite3.Cursor:
        assert self._disk is not None
        try:
            return self._disk.execute(statement, values)
        except sqlite3.Error as error:
            raise RetryableError(
                f"The values of a `unique` rule cannot be kept on disk: {error}.",
                advice="Make room where temporary files are kept (TMPDIR), then run again.",
            ) from error
