"""Reading the state of a stream, for people: nothing is written, and no database created.

State tables of an older version get the columns and tables that they lack.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, select

from astrio.tasks.destinations.quarantined import QuarantineRow, StreamStatus
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.sql import (
    added_columns,
    checkpoint,
    moment,
    parts,
    quarantine,
    tables,
)
from astrio.tasks.destinations.sql.database import Database, transaction
from astrio.tasks.destinations.sql.lease import described, held, is_live
from astrio.tasks.destinations.sql.quarantine_reading import listed, open_numbers, shown, stored
from astrio.tasks.destinations.sql.stream import Stream
from astrio.tasks.replayed import Stored


class SqlReader:
    """What the destination of a stream remembers."""

    def __init__(self, push: PushSettings, integration: str, part: Sequence[str] = ()) -> None:
        self._database = Database.of(push.target)
        self._stream = Stream(integration, push.table, tuple(part))

    def quarantine_rows(self, state: str | None) -> list[QuarantineRow]:
        """Return the rows in that state (None: all), oldest first."""
        with self._reading() as connection:
            return listed(connection, self._stream, state) if connection else []

    def quarantine_records(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """Return rows with their source records and all problems, as far as there are any."""
        with self._reading() as connection:
            return list(shown(connection, self._stream, numbers)) if connection else []

    def open_numbers(self) -> list[int]:
        """Return the ids of the quarantine's open rows, oldest first."""
        with self._reading() as connection:
            return open_numbers(connection, self._stream) if connection else []

    def stored(self, numbers: Sequence[int]) -> list[Stored]:
        """Return those of the rows that are open, as a replay takes them."""
        with self._reading() as connection:
            return list(stored(connection, self._stream, numbers)) if connection else []

    def last_runs(self, limit: int) -> list[dict[str, Any]]:
        """Return the latest reports, newest first."""
        with self._reading() as connection:
            return checkpoint.last_runs(connection, self._stream, limit) if connection else []

    def parts_done(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the reports of parts that are done, by the names they are remembered by."""
        with self._reading() as connection:
            return parts.done(connection, self._stream, names) if connection else {}

    def parts_held(self) -> set[str]:
        """Return the names of parts that a run is at work on."""
        with self._reading() as connection:
            return set(held(connection, self._stream, moment.now())) if connection else set()

    def status(self) -> StreamStatus:
        """Return where the stream stands."""
        with self._reading() as connection:
            if connection is None:
                return StreamStatus()
            state = checkpoint.load(connection, self._stream)
            runs = checkpoint.last_runs(connection, self._stream, 1)
            return StreamStatus(
                watermark=state.watermark,
                unfinished=state.resume is not None,
                quarantined=quarantine.count_open(connection, self._stream),
                holder=self._holder(connection),
                last_run=runs[0] if runs else None,
                unfilled=added_columns.unfilled(connection, self._stream.table),
                parts=tuple(parts.standing(connection, self._stream, moment.now())),
            )

    def _holder(self, connection: Connection) -> str | None:
        query = select(tables.lease).where(tables.lease.c.stream == self._stream.id)
        row = connection.execute(query).first()
        return described(row) if row is not None and is_live(row, moment.now()) else None

    @contextmanager
    def _reading(self) -> Iterator[Connection | None]:
        if not self._database.exists():
            yield None
            return
        with self._database.reading() as connection:
            older = tables.are_older(connection)
        if older:  # what it lacks is added, so that nothing of it is overlooked
            self._upgrade()
        with self._database.reading() as connection:
            yield connection if tables.are_ready(connection) else None

    def _upgrade(self) -> None:
        with (
            self._database.explained(),
            self._database.connect() as opened,
            transaction(opened) as connection,
        ):
            tables.prepare(connection, self._database.dialect)
