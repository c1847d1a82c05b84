"""What is remembered of a stream's pages, and whether the table is still as it was then.

Whatever a run writes, it moves the stream's checkpoint in the same transaction. So what the last
run has remembered holds as long as no checkpoint of the table has moved since: the stream's own
(a run that was killed, one with `--since`, a replay, one of another version of astrio), or that of
another stream that writes to the table. What writes there without astrio is told by the number of
rows and by the columns; the rest of it is found by the pages that are compared all the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, func, or_, select

from astrio.tasks.destinations.sql.clauses import table_of
from astrio.tasks.destinations.sql.dialect import Dialect, Relation
from astrio.tasks.destinations.sql.page_packs import packed, unpacked
from astrio.tasks.destinations.sql.stream import Stamp, Stream
from astrio.tasks.destinations.sql.tables import checkpoint, pages, run
from astrio.tasks.unchanged.mark import Remembered

_HEAD: Final = "head"


@dataclass(frozen=True, slots=True)
class Standing:
    """All that must be as it was, so that remembered pages may be skipped.

    Attributes:
        fingerprint: of mapping, rules and settings.
        rows: in the table.
        columns: a digest of their names and types.
        others: a digest of what other streams have done to the table.
        own: who moved the stream's own checkpoint last, and when.
    """

    fingerprint: str
    rows: int
    columns: str
    others: str
    own: str


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the pages: the table's standing, and whose turn it is."""

    standing: Standing
    turn: int = 0


def head(connection: Connection, stream: Stream) -> Head | None:
    """Return the head of what is remembered, None if nothing is."""
    query = select(pages.c.content).where(_mine(stream), pages.c.part == _HEAD)
    text = connection.execute(query).scalar()
    document = None if text is None else json.loads(text)
    return document and Head(Standing(**document["standing"]), document["turn"])


def load(connection: Connection, stream: Stream) -> dict[bytes, Remembered]:
    """Return the pages."""
    query = select(pages.c.content).where(_mine(stream), pages.c.part != _HEAD)
    texts = connection.execute(query.order_by(pages.c.part)).scalars()
    return {digest: page for text in texts for digest, page in unpacked(text)}


def save(
    connection: Connection,
    dialect: Dialect,
    stamp: Stamp,
    told: Head,
    remembered: Mapping[bytes, Remembered] | None,
) -> None:
    """Remember the pages; None: they are those that are remembered already."""
    if remembered is not None:
        connection.execute(pages.delete().where(_mine(stamp.stream), pages.c.part != _HEAD))
        for number, text in enumerate(packed(remembered)):
            _put(connection, dialect, stamp, f"{number:06}", text)
    _put(connection, dialect, stamp, _HEAD, json.dumps(asdict(told)))


def forget(connection: Connection, stream: Stream) -> None:
    """Forget all pages of the stream."""
    connection.execute(pages.delete().where(_mine(stream)))


def rows_in(connection: Connection, relation: Relation | None) -> int:
    """Return how many rows the table has."""
    if relation is None:
        return 0
    count = select(func.count()).select_from(table_of(relation.name))
    return int(connection.execute(count).scalar_one())


def columns_of(relation: Relation | None) -> str:
    """Return a digest of the table's columns."""
    held = () if relation is None else relation.columns.values()
    return _digest([[each.name, each.declared] for each in held])


def own(connection: Connection, stream: Stream) -> str:
    """Return by whom and when the stream's checkpoint was moved last."""
    its = checkpoint.c
    query = select(its.run_id, its.updated_at).where(its.stream == stream.id)
    return json.dumps([list(row) for row in connection.execute(query)])


def others(connection: Connection, stream: Stream) -> str:
    """Return a digest of what other streams, and parts of this one, have done to the table.

    A part's checkpoint goes when the part is done, but its run stays listed.
    """
    its = checkpoint.c
    query = select(its.stream, its.run_id, its.updated_at).where(*_beside(checkpoint, stream))
    moved = [list(row) for row in connection.execute(query.order_by(its.stream))]
    figures = (func.count(), func.max(run.c.started_at), func.max(run.c.finished_at))
    runs = connection.execute(select(*figures).where(*_beside(run, stream))).one()
    return _digest([moved, list(runs)])


def _beside(table: Table, stream: Stream) -> tuple[ColumnElement[bool], ...]:
    """Return what is true of a row of another stream that writes to the same table."""
    name, its = f":{stream.table.lower()}", table.c.stream
    ends = its.endswith(name, autoescape=True)
    return its != stream.id, or_(ends, its.contains(f"{name}#", autoescape=True))


def _put(connection: Connection, dialect: Dialect, stamp: Stamp, part: str, content: str) -> None:
    told = {"content": content, "updated_at": stamp.at}
    insert = dialect.upsert(pages, [pages.c.stream, pages.c.part], tuple(told))
    connection.execute(insert.values({"stream": stamp.stream.id, "part": part, **told}))


def _mine(stream: Stream) -> ColumnElement[bool]:
    return pages.c.stream == stream.id


def _digest(value: Any) -> str:
    return sha256(json.dumps(value).encode()).hexdigest()[:16]
