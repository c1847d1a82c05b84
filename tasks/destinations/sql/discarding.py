"""Discarding quarantined records: nobody will mend them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam

from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.sql import moment, tables
from astrio.tasks.destinations.sql.database import Database, transaction
from astrio.tasks.destinations.sql.stream import Stream
from astrio.tasks.destinations.sql.tables import is_open, quarantine


def discard(push: PushSettings, integration: str, numbers: Sequence[int], note: str | None) -> int:
    """Close those of the rows that are open, all of them or none; return how many.

    Their content is kept for a while (`quarantine.keep_closed`), and dropped by a later run.
    """
    database, stream = Database.of(push.target), Stream(integration, push.table)
    mine = (quarantine.c.stream == stream.id, quarantine.c.id == bindparam("row"), is_open)
    closed = {"state": "discarded", "closed_at": moment.written(moment.now()), "note": note}
    update = quarantine.update().where(*mine).values(closed)
    with database.explained(), database.connect() as opened, transaction(opened) as connection:
        tables.prepare(connection, database.dialect)
        # One by one, as a driver does not count what many have changed.
        return sum(connection.execute(update, {"row": row}).rowcount for row in numbers)
