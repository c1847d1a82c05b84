"""Storing arrivals: many in one durable transaction, each event once."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection

from astrio.tasks.ledger.opening import SCHEMA, Ledger
from astrio.tasks.ledger.sealing_bytes import BytesSealer
from astrio.tasks.webhooks.inbox.event import Arrival, State, sealed

PURPOSE: Final = "inbox"
_COLUMNS: Final = (
    "id, source, identity, delivery_id, received_at, size, sealed, changed_at, due_at, state, "
    "attempts, replays, done_by, error"
)
_REST: Final = f"'{State.RECEIVED}', 0, 0, '', ''"
_CHUNK: Final = 64
"""Rows of one SQLite statement, at most: each is a moment without Python's lock."""
_POSTGRESQL: Final = (
    f"INSERT INTO {SCHEMA}._astrio_event ({_COLUMNS}) "  # noqa: S608 (constants)
    f"SELECT id, source, identity, delivery, at, size, sealed, at, at, {_REST} FROM unnest("
    "%b::text[], %b::text[], %b::text[], %b::text[], %b::float8[], %b::int4[], %b::bytea[]) "
    "AS arrival (id, source, identity, delivery, at, size, sealed) "
    "ON CONFLICT DO NOTHING RETURNING id"
)

_LOG_PAGES: Final = 8192
_LONGEST_ID: Final = 256

_Row = tuple[str, str, str, str | None, float, int, bytes]


class Appender:
    """Appends to the inbox over one connection that stays open; for one thread at a time."""

    def __init__(self, ledger: Ledger) -> None:
        """Open the ledger, and make its tables if they are missing.

        Raises:
            AstrioError: the ledger cannot be opened, or its key cannot be used.
        """
        self._ledger = ledger
        self._sealer = BytesSealer(PURPOSE)
        self._connection: Connection | None = None
        with ledger.writing():
            pass  # the tables are made
        with ledger.database.explained():
            self._opened()

    def append(self, arrivals: Sequence[Arrival]) -> list[bool]:
        """Store the arrivals in one transaction, which is durable when this returns.

        Returns:
            For each arrival whether it is new; False: the event is in the inbox already.

        Raises:
            AstrioError: nothing is stored; the next call tries with a new connection.
        """
        rows = [self._row(arrival) for arrival in arrivals]
        try:
            with self._ledger.database.explained():
                new = _stored(self._opened(), rows)
        except BaseException:
            self.close()
            raise
        return [row[0] in new for row in rows]

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def _opened(self) -> Connection:
        if self._connection is None:
            self._connection = self._ledger.database.connect()
            driver: Any = self._connection.connection.driver_connection
            if isinstance(driver, sqlite3.Connection):
                # Whatever SQLite was compiled with: an acknowledged row survives a power cut.
                driver.execute("PRAGMA synchronous=FULL")
                if self._ledger.own_file:
                    _let_readers_be(driver)
                    # A `Checkpointer` does it before; this is for when it cannot keep up.
                    driver.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")
            else:
                # One statement is a transaction of its own: a single way there and back.
                driver.autocommit = True
        return self._connection

    def _row(self, arrival: Arrival) -> _Row:
        id_ = f"{time.time_ns():016x}{os.urandom(8).hex()}"
        return (
            id_,
            arrival.source,
            arrival.identity(),
            _shown(arrival.delivery_id),
            arrival.received_at,
            len(arrival.body),
            sealed(self._sealer, id_, arrival),
        )


def _let_readers_be(driver: sqlite3.Connection) -> None:
    """Let who looks into the inbox keep nobody waiting who writes to it; the file stays so."""
    with suppress(sqlite3.OperationalError):  # somebody is at it right now: the next time, then
        driver.execute("PRAGMA journal_mode=WAL")


def _shown(delivery_id: str | None) -> str | None:
    """Return what every database is able to hold of it; identities are of the whole."""
    if delivery_id is None or (delivery_id.isprintable() and len(delivery_id) <= _LONGEST_ID):
        return delivery_id
    return ascii(delivery_id)[1 : _LONGEST_ID + 1]


def _stored(connection: Connection, rows: list[_Row]) -> set[str]:
    """Insert the rows that are new, durably, and return their ids."""
    driver: Any = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        # By the driver itself: SQLAlchemy's own transaction takes longer than SQLite's.
        driver.execute("BEGIN IMMEDIATE")
        new = {id_ for chunk in _chunks(rows) for id_ in _inserted_at_once(driver, chunk)}
        driver.execute("COMMIT")
        return new
    # In the order of their identities, so that two gateways never wait for each other crosswise.
    rows = sorted(rows, key=lambda row: (row[1], row[2], row[0]))
    columns = [list(column) for column in zip(*rows, strict=True)]
    return {found[0] for found in driver.execute(_POSTGRESQL, columns)}


def _chunks(rows: list[_Row]) -> Iterator[list[_Row]]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]


def _inserted_at_once(driver: sqlite3.Connection, rows: list[_Row]) -> list[str]:
    values = list(chain.from_iterable(rows))
    count = driver.execute(_statement(len(rows)), values).rowcount
    ids = [row[0] for row in rows]
    if count == len(rows):
        return ids
    query = f"SELECT id FROM _astrio_event WHERE id IN ({', '.join('?' * len(ids))})"  # noqa: S608 (question marks)
    return [found[0] for found in driver.execute(query, ids)]


@cache
def _statement(count: int) -> str:
    """Return SQLite's INSERT of so many rows, the moment of whose arrival is given once."""
    width = _COLUMNS.split(", ").index("changed_at")
    rows = []
    for first in range(1, count * width + 1, width):
        own = ", ".join(f"?{first + place}" for place in range(width))
        rows.append(f"({own}, ?{first + 4}, ?{first + 4}, {_REST})")
    into = f"INSERT INTO _astrio_event ({_COLUMNS}) VALUES "  # noqa: S608 (constants)
    return f"{into}{', '.join(rows)} ON CONFLICT DO NOTHING"
