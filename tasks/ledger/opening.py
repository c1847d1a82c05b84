"""Opening the ledger: ASTRIO_LEDGER_URL, or SQLite in ASTRIO_HOME."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import URL, Connection

from astrio.tasks.destinations.sql.database import Database, transaction
from astrio.tasks.ledger.home import astrio_home, make_astrio_home
from astrio.tasks.ledger.migrating import migrate, stored_revision
from astrio.tasks.ledger.tables import REVISION

_URL: Final = "ASTRIO_LEDGER_URL"
SCHEMA: Final = "astrio"


class Ledger:
    """astrio's own database, opened when it is first used.

    Each use is one transaction on a connection of its own; engines pool the connections.

    Attributes:
        database: where it is.
        own_file: it is a SQLite file that belongs to astrio alone.
    """

    def __init__(self) -> None:
        """Find out where it is; nothing is opened yet.

        Raises:
            ConfigurationError: ASTRIO_LEDGER_URL is no URL of a known database.
        """
        url = os.environ.get(_URL)
        here = URL.create("sqlite", database=str(astrio_home() / "ledger.db"))
        self.database = Database(url or here, named=_URL)
        self.own_file = not url
        self._ready = False

    def exists(self) -> bool:
        """Whether there is anything to read."""
        return self.database.exists()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a write transaction; the tables are made or migrated by the first.

        Raises:
            AstrioError: the ledger cannot be opened or written.
        """
        if self.own_file:
            make_astrio_home()
        database = self.database
        with database.explained(), database.connect() as connection, transaction(connection):
            database.dialect.work_in(connection, SCHEMA, create=not self._ready)
            if not self._ready:
                migrate(connection)
            yield connection
        self._ready = True

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a read transaction that keeps no writer waiting; raises as `writing`."""
        if not self._ready and not self._is_current():
            with self.writing():
                pass  # the tables are made
        with self.database.reading() as connection:
            self.database.dialect.work_in(connection, SCHEMA, create=False)
            yield connection

    def _is_current(self) -> bool:
        if not self.exists():
            return False
        with self.database.reading() as connection:
            self.database.dialect.work_in(connection, SCHEMA, create=False)
            self._ready = stored_revision(connection) == REVISION
        return self._ready
