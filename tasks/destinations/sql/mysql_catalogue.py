"""What MySQL and MariaDB say of a table. SHOW knows temporary tables too, unlike their schema."""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from astrio.blocks.errors import DestinationError
from astrio.tasks.destinations.sql.dialect import Relation, quoted, run
from astrio.tasks.destinations.sql.mysql_types import held, is_generated

_NO_SUCH_TABLE: Final = 1146
_NAMED: Final = (
    "SELECT table_name FROM information_schema.tables "
    "WHERE table_schema = DATABASE() AND lower(table_name) = lower(%s) LIMIT 1"
)
_ENGINE: Final = re.compile(r"\n\).* ?ENGINE=(\w+)")
_JSON: Final = re.compile(r"""^\s*["`](.+)["`] longtext .*CHECK \(json_valid\(["`].+["`]\)\)""")


def describe(connection: Connection, table: str) -> Relation | None:
    """Return the table or view of that name, compared without regard to case.

    Raises:
        DestinationError: its engine knows no transactions.
    """
    created = definition(connection, table)
    if created is None:
        named = connection.exec_driver_sql(_NAMED, (table,)).scalar()
        created = None if named is None else definition(connection, str(named))
    if created is None:
        return None
    name, statement = created
    is_view = not re.match(r"CREATE (TEMPORARY )?TABLE", statement)
    if not is_view:
        _require_transactions(name, statement)
    checked = set(filter(None, map(_checked, statement.splitlines())))
    rows = run(connection, f"SHOW FULL COLUMNS FROM {quoted(name)}").all()
    return Relation(
        name,
        is_view=is_view,
        columns={row.Field.lower(): held(row, is_json=row.Field in checked) for row in rows},
        unique=[] if is_view else _unique(connection, name),
        required=frozenset(
            row.Field.lower()
            for row in rows
            if row.Null == "NO"
            and row.Default is None
            and not is_generated(row.Extra)
            and not re.search("auto_increment|DEFAULT_GENERATED", row.Extra)
        ),
    )


def definition(connection: Connection, table: str) -> tuple[str, str] | None:
    """Return a table's name and its CREATE statement, None if there is none."""
    try:
        found = run(connection, f"SHOW CREATE TABLE {quoted(table)}").one()
    except DBAPIError as error:
        if error.orig is not None and error.orig.args[:1] == (_NO_SUCH_TABLE,):
            return None
        raise
    return str(found[0]), str(found[1])


def indexed(connection: Connection, table: str) -> dict[str, int]:
    """Return the columns, in lower case, of any index, and of how many columns the longest is."""
    found: dict[str, list[str]] = {}
    for row in run(connection, f"SHOW INDEX FROM {quoted(table)}"):
        if row.Column_name is not None:
            found.setdefault(row.Key_name, []).append(row.Column_name.lower())
    longest: dict[str, int] = {}
    for names in found.values():
        longest.update((name, max(len(names), longest.get(name, 0))) for name in names)
    return longest


def _unique(connection: Connection, table: str) -> list[frozenset[str | None]]:
    keys: dict[str, set[str | None]] = {}
    for row in run(connection, f"SHOW INDEX FROM {quoted(table)}"):
        if not int(row.Non_unique):
            # One by the beginning of a text keeps more apart than its columns do.
            name = None if row.Column_name is None or row.Sub_part else row.Column_name.lower()
            keys.setdefault(row.Key_name, set()).add(name)
    return list(map(frozenset, keys.values()))


def _checked(line: str) -> str | None:
    found = _JSON.match(line)
    return found[1] if found else None


def _require_transactions(table: str, statement: str) -> None:
    engine = _ENGINE.search(statement)
    if engine and engine[1].lower() not in {"innodb", "rocksdb"}:
        raise DestinationError(
            f"The table {table} is kept by the engine {engine[1]}, which cannot take a write back.",
            advice=f"ALTER TABLE {table} ENGINE=InnoDB, or name another table in push.table.",
        )


def complete(connection: Connection) -> None:
    """Add what keeps one open row of the quarantine for each identity, however long that is."""
    names = {row.Field for row in run(connection, "SHOW COLUMNS FROM _astrio_quarantine")}
    if "open_identity" in names:
        return
    told = "SHA2(CONCAT(stream, CHAR(10 USING utf8mb4), identity), 256)"
    run(
        connection,
        "ALTER TABLE _astrio_quarantine ADD COLUMN open_identity BINARY(32) GENERATED ALWAYS AS "
        f"(CASE WHEN state = 'open' THEN UNHEX({told}) END) VIRTUAL, "
        "ADD UNIQUE INDEX _astrio_quarantine_open (open_identity)",
    )
