"""Looking into the quarantine: its list, and single records in full."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, select

from astrio.tasks.destinations.quarantined import QuarantineRow
from astrio.tasks.destinations.sql import moment
from astrio.tasks.destinations.sql.kept import opened
from astrio.tasks.destinations.sql.stream import Stream
from astrio.tasks.destinations.sql.tables import is_open, quarantine
from astrio.tasks.replayed import Stored

_table: Final = quarantine.c
_LISTED: Final = (
    _table.id,
    _table.integration,
    _table.key,
    _table.field,
    _table.rule,
    _table.reason,
    _table.run,
    _table.first_seen,
    _table.seen,
    _table.state,
)
_MORE: Final = (
    _table.last_seen,
    _table.started,
    _table.mapping,
    _table.closed_at,
    _table.note,
    _table.problems,
    _table.record,
)


def listed(connection: Connection, stream: Stream, state: str | None) -> list[QuarantineRow]:
    """Return the stream's rows in the given state (None: all), oldest first."""
    query = select(*_LISTED).where(_table.stream == stream.id).order_by(_table.id)
    if state is not None:
        query = query.where(_table.state == state)
    return [QuarantineRow(**row) for row in connection.execute(query).mappings()]  # type: ignore[typeddict-item] # _LISTED names exactly its keys


def shown(
    connection: Connection, stream: Stream, numbers: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """Yield those rows that there are, oldest first, with their records and all problems.

    Where the record is `missing`, it is null, and the reason is given instead.
    """
    query = select(*_LISTED, *_MORE).where(_table.stream == stream.id, _table.id.in_(numbers))
    for row in connection.execute(query.order_by(_table.id)).mappings():
        yield _in_full(row)


def open_numbers(connection: Connection, stream: Stream) -> list[int]:
    """Return the ids of the open rows, oldest first."""
    query = select(_table.id).where(_table.stream == stream.id, is_open).order_by(_table.id)
    return list(connection.execute(query).scalars())


def stored(connection: Connection, stream: Stream, numbers: Sequence[int]) -> Iterator[Stored]:
    """Yield those of the rows that are open, oldest first, as a replay takes them.

    Raises:
        ConfigurationError: the key of this machine cannot be used.
    """
    mine = (_table.stream == stream.id, is_open, _table.id.in_(numbers))
    for row in connection.execute(select(quarantine).where(*mine).order_by(_table.id)):
        content = opened(row.record, row.problems)
        yield Stored(
            row.id,
            row.identity,
            row.key is not None,
            row.rule,
            row.reason,
            content.record,
            content.missing,
            moment.read(row.started) if row.started else None,
        )


def _in_full(row: RowMapping) -> dict[str, Any]:
    content = opened(row["record"], row["problems"])
    first = {name: row[name] for name in ("field", "rule", "reason")}
    return {
        **row,
        "problems": [first] if content.problems is None else content.problems,
        "record": content.record,
        "missing": content.missing,
        "locked": content.locked,
    }
