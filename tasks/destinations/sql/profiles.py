"""What is remembered of the fields in a stream's earlier runs."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, select

from astrio.tasks.destinations.sql.dialect import Dialect
from astrio.tasks.destinations.sql.stream import Stamp, Stream
from astrio.tasks.destinations.sql.tables import profile


def load(connection: Connection, stream: Stream) -> dict[str, Any] | None:
    """Return what was saved last, None if nothing was."""
    query = select(profile.c.profile).where(profile.c.stream == stream.id)
    text = connection.execute(query).scalar()
    document: dict[str, Any] | None = None if text is None else json.loads(text)
    return document


def save(
    connection: Connection, dialect: Dialect, stamp: Stamp, document: dict[str, Any] | None
) -> None:
    """Remember the document; None leaves the stored one as it is."""
    if document is None:
        return
    told = {"profile": json.dumps(document), "updated_at": stamp.at}
    insert = dialect.upsert(profile, [profile.c.stream], tuple(told))
    connection.execute(insert.values({"stream": stamp.stream.id, **told}))
