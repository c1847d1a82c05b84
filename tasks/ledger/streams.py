"""The index of streams: which integrations have run from here, and where their state lives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import Final

from sqlalchemy import URL, Connection, select

from astrio.blocks.errors import AstrioError
from astrio.tasks.destinations.sql.database import Database, transaction
from astrio.tasks.ledger.home import astrio_home, make_astrio_home
from astrio.tasks.ledger.migrating import migrate, stored_revision
from astrio.tasks.ledger.tables import REVISION
from astrio.tasks.ledger.tables import stream as index

_IDENTITY: Final = (index.c.integration, index.c.destination, index.c.table_name)
_URL: Final = "ASTRIO_LEDGER_URL"
_SCHEMA: Final = "astrio"


@dataclass(frozen=True, slots=True)
class KnownStream:
    """A stream that has run.

    Attributes:
        integration: its name.
        destination: where its rows and its state are, without secrets.
        table_name: the table.
        file: absolute path of the integration's file, None if it was written in Python.
        cwd: the folder that relative paths of the file are relative to.
        last_run_at: when the last run ended, ISO 8601.
        last_state: how it ended.
    """

    integration: str
    destination: str
    table_name: str
    file: str | None
    cwd: str
    last_run_at: str
    last_state: str


def remember_stream(stream: KnownStream) -> str | None:
    """Put the stream into the index, or renew its entry.

    Returns:
        A warning if the ledger cannot be written, which is no reason to fail a run; else None.
    """
    try:
        with _writing() as (database, connection):
            values = asdict(stream)
            insert = database.dialect.insert(index).values(values)
            upsert = insert.on_conflict_do_update(index_elements=_IDENTITY, set_=values)
            connection.execute(upsert)
    except (AstrioError, OSError) as error:
        return f"The index of streams could not be written: {error}"
    return None


def known_streams() -> list[KnownStream]:
    """Return every stream of the index, by name; a ledger that does not exist is empty.

    Raises:
        AstrioError: the ledger cannot be read.
    """
    ledger = _ledger()
    if not ledger.exists():
        return []
    with ledger.reading() as connection:
        ledger.dialect.work_in(connection, _SCHEMA, create=False)
        if stored_revision(connection) == REVISION:
            return _listed(connection)
    with _writing() as (_, connection):
        return _listed(connection)


def _listed(connection: Connection) -> list[KnownStream]:
    columns = [index.c[field.name] for field in fields(KnownStream)]
    rows = connection.execute(select(*columns).order_by(*_IDENTITY))
    return [KnownStream(*row) for row in rows]


@contextmanager
def _writing() -> Iterator[tuple[Database, Connection]]:
    if not os.environ.get(_URL):
        make_astrio_home()
    database = _ledger()
    with database.explained(), database.connect() as connection, transaction(connection):
        database.dialect.work_in(connection, _SCHEMA, create=True)
        migrate(connection)
        yield database, connection


def _ledger() -> Database:
    url = os.environ.get(_URL)
    if url:
        return Database(url, named=_URL)
    return Database(URL.create("sqlite", database=str(astrio_home() / "ledger.db")), named=_URL)
