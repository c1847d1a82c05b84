"""A connection to the ledger that stays open, for what works on it all the time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from astrio.tasks.destinations.sql.database import transaction
from astrio.tasks.ledger.opening import SCHEMA, Ledger


class Line:
    """One connection, opened again after each failure; for one thread at a time."""

    def __init__(self, ledger: Ledger) -> None:
        """Take the ledger; nothing is opened yet."""
        self._ledger = ledger
        self._connection: Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Open a write transaction that is durable when the block has ended.

        Raises:
            AstrioError: the ledger cannot be reached or written; nothing was.
        """
        database = self._ledger.database
        try:
            with database.explained():
                connection = self._opened()
                with transaction(connection):
                    database.dialect.work_in(connection, SCHEMA, create=False)
                    yield connection
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def _opened(self) -> Connection:
        if self._connection is None:
            with self._ledger.writing():
                pass  # the tables are made
            self._connection = self._ledger.database.connect()
            driver = self._connection.connection.driver_connection
            if isinstance(driver, sqlite3.Connection):
                # Whatever SQLite was compiled with: what is marked survives a power cut.
                driver.execute("PRAGMA synchronous=FULL")
                if self._ledger.own_file:
                    # Then who looks into the outbox keeps nobody waiting.
                    driver.execute("PRAGMA journal_mode=WAL")
        return self._connection
