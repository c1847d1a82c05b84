"""The index of streams: which integrations have run from here, and where their state lives."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Final

from sqlalchemy import Connection, select

from astrio.blocks.errors import AstrioError
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.ledger.tables import stream as index

_IDENTITY: Final = (index.c.integration, index.c.destination, index.c.table_name)


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
        ledger = Ledger()
        with ledger.writing() as connection:
            values = asdict(stream)
            insert = ledger.database.dialect.insert(index).values(values)
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
    ledger = Ledger()
    if not ledger.exists():
        return []
    with ledger.reading() as connection:
        return _listed(connection)


def _listed(connection: Connection) -> list[KnownStream]:
    columns = [index.c[field.name] for field in fields(KnownStream)]
    rows = connection.execute(select(*columns).order_by(*_IDENTITY))
    return [KnownStream(*row) for row in rows]
