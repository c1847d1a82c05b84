"""Which columns astrio has made, when, and since when each has been filled.

A column that is added to a table with rows is null in all of them, whatever the source has there:
it is marked "not backfilled before T" until a run has read the whole source again.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from astrio.tasks.destinations.quarantined import AddedColumn
from astrio.tasks.destinations.sql.dialect import Dialect
from astrio.tasks.destinations.sql.stream import Stamp
from astrio.tasks.destinations.sql.tables import made_column

_its = made_column.c


def note(  # noqa: PLR0913 (what is stored is given by name)
    connection: Connection,
    dialect: Dialect,
    stamp: Stamp,
    table: str,
    kinds: dict[str, str],
    *,
    added: bool,
) -> None:
    """Note columns as made now; `added`: the table was there before them."""
    if not added:
        forget(connection, table)  # what is noted of one that somebody has dropped since
    rows = [
        {
            "table_name": table.lower(),
            "column_name": name.lower(),
            "kind": kind,
            "stream": stamp.stream.whole.id,
            "run_id": stamp.run_id,
            "added_at": stamp.at,
            "not_before": stamp.at if added else None,
        }
        for name, kind in kinds.items()
    ]
    if rows:
        again = [name for name in rows[0] if not name.endswith("_name")]
        same = [_its.table_name, _its.column_name]
        connection.execute(dialect.upsert(made_column, same, again), rows)


def retyped(connection: Connection, table: str, kinds: dict[str, str]) -> None:
    """Note the types that columns have now."""
    for name, kind in kinds.items():
        mine = (_its.table_name == table.lower(), _its.column_name == name.lower())
        connection.execute(made_column.update().where(*mine).values(kind=kind))


def made_table(connection: Connection, table: str, run_id: str) -> bool:
    """Whether this run has made the table itself, perhaps before it was interrupted."""
    mine = (_its.table_name == table.lower(), _its.run_id == run_id, _its.not_before.is_(None))
    return connection.execute(select(_its.column_name).where(*mine).limit(1)).first() is not None


def unfilled(connection: Connection, table: str) -> tuple[AddedColumn, ...]:
    """Return the columns that older rows lack, in the order they came."""
    query = select(_its.column_name, _its.kind, _its.not_before, _its.run_id)
    marked = (_its.table_name == table.lower(), _its.not_before.is_not(None))
    found = connection.execute(query.where(*marked).order_by(_its.not_before, _its.column_name))
    return tuple(
        AddedColumn(column=name, kind=kind, since=since, run=run)
        for name, kind, since, run in found
    )


def filled(connection: Connection, table: str) -> None:
    """Take the marks away: every row has been written since."""
    mine = _its.table_name == table.lower()
    connection.execute(made_column.update().where(mine).values(not_before=None))


def forget(connection: Connection, table: str) -> None:
    """Forget the columns of a table that is gone."""
    connection.execute(made_column.delete().where(_its.table_name == table.lower()))


def take_place(connection: Connection, staging: str, table: str) -> None:
    """Let what is noted of the staging table be noted of the table, whose rows are all new."""
    filled(connection, table)
    filled(connection, staging)
    known = select(_its.column_name).where(_its.table_name == table.lower())
    names: Sequence[str] = connection.execute(known).scalars().all()
    moved = (_its.table_name == staging.lower(), _its.column_name.not_in(names))
    connection.execute(made_column.update().where(*moved).values(table_name=table.lower()))
    forget(connection, staging)
