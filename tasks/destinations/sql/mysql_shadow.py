"""Temporary tables that stand before a session's tables: what it does to them is seen by nobody.

A change of a table cannot be rolled back in MySQL, so a dry run works on copies, which are gone
with the session, whatever ends it. They have the columns, defaults, checks and indexes of the
tables, but no triggers and no foreign keys.
"""

from __future__ import annotations

import re
from typing import Any, Final

from sqlalchemy import Connection, event

from astrio.blocks.errors import FatalError
from astrio.tasks.destinations.sql.dialect import quoted, run
from astrio.tasks.destinations.sql.mysql_catalogue import describe

_SHADOWED: Final = "astrio_shadowed"
_COPY: Final = quoted("_astrio_copy")
_CREATE: Final = re.compile(r"^\s*CREATE TABLE\b")
_DROP: Final = re.compile(r"^\s*DROP TABLE\b")
_MADE: Final = re.compile(r'^CREATE TEMPORARY TABLE (?:IF NOT EXISTS )?(?:"(.+?)"|(\w+))')
_WRITTEN: Final = re.compile(
    r'^\s*(?:INSERT INTO|UPDATE|DELETE FROM|ALTER TABLE) (?:"(.+?)"|(\w+))'
)
_RENAME: Final = re.compile(r"^\s*RENAME TABLE (.+) TO (.+)$")
_BUILT_ON: Final = """
    SELECT (SELECT COUNT(*) FROM information_schema.triggers
            WHERE event_object_schema = DATABASE() AND event_object_table = %s),
        (SELECT COUNT(*) FROM information_schema.referential_constraints
            WHERE constraint_schema = DATABASE() AND %s IN (table_name, referenced_table_name))
"""


def shadow(connection: Connection, table: str, stream: str | None = None) -> None:
    """Let a copy stand before the table, if there is one.

    Args:
        connection: of the session; from now on, it makes temporary tables only.
        table: the table's name.
        stream: the id of the stream whose rows are copied; None: all rows.
    """
    _make_temporary_only(connection)
    connection.info[_SHADOWED].add(table.lower())
    relation = describe(connection, table)
    if relation is None or relation.is_view:
        return
    kept = [each.name for each in relation.columns.values() if not each.generated]
    names, of = ", ".join(map(quoted, kept)), quoted(relation.name)
    run(connection, f"CREATE TEMPORARY TABLE {_COPY} LIKE {of}")
    rows = f"INSERT INTO {_COPY} ({names}) SELECT {names} FROM {of}"  # noqa: S608 (names are quoted)
    if stream is None:
        run(connection, rows)
    else:
        connection.exec_driver_sql(f"{rows} WHERE stream = %s", (stream,))
    run(connection, f"ALTER TABLE {_COPY} RENAME TO {of}")
    run(connection, "COMMIT")


def is_shadowed(connection: Connection) -> bool:
    """Whether the session's tables are copies."""
    return _SHADOWED in connection.info


def unheeded(connection: Connection, table: str) -> str | None:
    """Return what is built on the table that its copy does not have, in a sentence."""
    row = connection.exec_driver_sql(_BUILT_ON, (table, table)).one()
    found = [
        f"{number} {what}"
        for number, what in zip(row, ("triggers", "foreign keys"), strict=True)
        if number
    ]
    if not found:
        return None
    return (
        f"The dry run works on a copy of {table}, where {' and '.join(found)} do not act: what "
        "they refuse or change is not told."
    )


def _make_temporary_only(connection: Connection) -> None:
    if not is_shadowed(connection):
        connection.info[_SHADOWED] = set[str]()
        event.listen(connection, "before_cursor_execute", _temporary, retval=True)


def _temporary(  # noqa: PLR0913, PLR0917 (SQLAlchemy calls it so)
    connection: Connection,
    cursor: Any,  # noqa: ARG001 (as above)
    statement: str,
    parameters: Any,
    context: Any,  # noqa: ARG001 (as above)
    executemany: bool,  # noqa: ARG001 (as above)
) -> tuple[str, Any]:
    statement = _CREATE.sub("CREATE TEMPORARY TABLE", statement)
    statement = _DROP.sub("DROP TEMPORARY TABLE", statement)
    _check(connection, statement)
    return _RENAME.sub(r"ALTER TABLE \1 RENAME TO \2", statement), parameters


def require_own(connection: Connection, table: str) -> None:
    """Let a dry run write to no table that is seen by others.

    Raises:
        FatalError: it would.
    """
    if is_shadowed(connection) and table.lower() not in connection.info[_SHADOWED]:
        raise FatalError(
            f"The dry run would have written to the table {table}.",
            advice="Please report this: it is a fault of astrio. Nothing was written.",
        )


def _check(connection: Connection, statement: str) -> None:
    made, written = _MADE.match(statement), _WRITTEN.match(statement)
    if made:
        connection.info[_SHADOWED].add((made[1] or made[2]).lower())
    if written:
        require_own(connection, written[1] or written[2])
