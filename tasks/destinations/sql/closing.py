"""Which rows of a table are there, and how versions of them are closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, TableClause, func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from astrio.tasks.destinations.sql.dialect import Dialect, Relation
from astrio.tasks.destinations.sql.keys import fitted_value
from astrio.tasks.destinations.vanishing import DELETED_AT, VALID_FROM, VALID_TO
from astrio.tasks.quality.settings import moment as as_moment

_MOMENT: Final = timedelta(microseconds=1)


def present(mode: str, relation: Relation, rows: TableClause) -> list[ColumnElement[bool]]:
    """Return what is true of rows that are there: not marked, or open versions."""
    gone = relation.columns.get(VALID_TO if mode == "history" else DELETED_AT)
    return [] if gone is None else [rows.c[gone.name].is_(None)]


def close(  # noqa: PLR0913 (what is closed, and where)
    connection: Connection,
    dialect: Dialect,
    relation: Relation,
    rows: TableClause,
    *,
    which: Sequence[ColumnElement[bool]],
    at: datetime,
) -> None:
    """Close open versions at a time.

    Those that began no earlier, by a clock that goes ahead, are closed a moment after the last of
    them began: no version is empty.
    """
    since, until = relation.columns[VALID_FROM], relation.columns[VALID_TO]
    began = rows.c[since.name]
    before = or_(began.is_(None), began < fitted_value(dialect, since, at))
    ends = {until.name: fitted_value(dialect, until, at)}
    connection.execute(rows.update().where(*which, before).values(ends))
    last = connection.execute(select(func.max(began)).where(*which)).scalar()
    if last is not None:
        later = {until.name: fitted_value(dialect, until, as_moment(last) + _MOMENT)}
        connection.execute(rows.update().where(*which).values(later))
