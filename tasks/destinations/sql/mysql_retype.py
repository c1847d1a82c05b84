"""Changing the type of a MySQL column, and making rows distinct by a key.

Each statement commits by itself. A change that the process does not survive leaves the column as
it was, or as it is to be; the next run makes it again, or finds it made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, Row

from astrio.tasks.destinations.sql import changing
from astrio.tasks.destinations.sql.changing import TableChange
from astrio.tasks.destinations.sql.dialect import Held, Relation, quoted, run
from astrio.tasks.destinations.sql.kinds import Kind
from astrio.tasks.destinations.sql.mysql_catalogue import indexed
from astrio.tasks.destinations.sql.mysql_types import is_text, text_of, type_of
from astrio.tasks.destinations.sql.values import as_text
from astrio.tasks.report import TableChanges

_INDEXED: Final = 40  # characters: enough to tell most keys apart, and sixteen of them fit
_AT_ONCE: Final = 10_000
_NEW: Final = "_astrio_new"
_WORDS: Final = quoted("_astrio_words")


def retype(connection: Connection, relation: Relation, kinds: Mapping[str, Kind]) -> None:
    """Change the columns' types; texts are as `as_text` makes them."""
    keys = indexed(connection, relation.name)
    for name, kind in kinds.items():
        held, of = relation.columns[name.lower()], keys.get(name.lower(), 0)
        declared = type_of(connection, kind, of) + _required(connection, relation, name)
        needs_words = kind is Kind.TEXT and (held.kind is Kind.FLOAT or _own_words(held))
        if not needs_words:
            _alter(connection, relation, f"MODIFY COLUMN {quoted(name)} {declared}")
        elif of:
            _alter(connection, relation, f"MODIFY COLUMN {quoted(name)} {declared}")
            _put_words(connection, relation, held, quoted(name))
        else:
            _replace(connection, relation, held, declared)


def make_distinct(
    connection: Connection, relation: Relation, key: Sequence[str], index: str
) -> None:
    """Create a unique index; texts get the length that an index takes."""
    for name in key:
        held = relation.columns[name.lower()]
        if held.kind is Kind.JSON or (is_text(held.declared) and "(" not in held.declared):
            declared = type_of(connection, Kind.TEXT, len(key))
            required = _required(connection, relation, held.name)
            _alter(connection, relation, f"MODIFY COLUMN {quoted(held.name)} {declared}{required}")
    columns = ", ".join(map(quoted, key))
    run(connection, f"CREATE UNIQUE INDEX {quoted(index)} ON {quoted(relation.name)} ({columns})")


def index_key(connection: Connection, relation: Relation, key: Sequence[str], index: str) -> None:
    """Make a key's rows quick to find; of texts, the index holds the beginning.

    Raises:
        TableChange: the index is to be made first.
    """
    present = {row.Key_name for row in run(connection, f"SHOW INDEX FROM {quoted(relation.name)}")}
    if index in present:
        return
    if not changing.are_allowed(connection):
        raise TableChange(relation.name, index, partial(_index_key, relation, key, index))
    _index_key(relation, key, index, connection)


def _index_key(
    relation: Relation, key: Sequence[str], index: str, connection: Connection
) -> TableChanges:
    held = [relation.columns[name.lower()] for name in key]
    bound = {each.name: f"({_INDEXED})" for each in held if is_text(each.declared)}
    columns = ", ".join(f"{quoted(each.name)}{bound.get(each.name, '')}" for each in held)
    run(connection, f"CREATE INDEX {quoted(index)} ON {quoted(relation.name)} ({columns})")
    return TableChanges()


def _own_words(held: Held) -> bool:
    return text_of(quoted(held.name), held.declared) is not None


def _replace(connection: Connection, relation: Relation, held: Held, declared: str) -> None:
    """Fill a new column with the texts, which then takes the place of the old one at once."""
    table, new = quoted(relation.name), quoted(_NEW)
    if _column(connection, relation, _NEW) is not None:
        _alter(connection, relation, f"DROP COLUMN {new}")
    _alter(connection, relation, f"ADD COLUMN {new} {declared.replace(' NOT NULL', '')}")
    if held.kind is Kind.FLOAT:
        _put_words(connection, relation, held, new)
    else:
        words = text_of(quoted(held.name), held.declared)
        run(connection, f"UPDATE {table} SET {new} = {words}")  # noqa: S608 (names are quoted)
    names = [each.name for each in relation.columns.values()]
    place = names.index(held.name)
    where = f"AFTER {quoted(names[place - 1])}" if place else "FIRST"
    old = quoted(held.name)
    changed = f"DROP COLUMN {old}, CHANGE COLUMN {new} {old} {declared} {where}"
    _alter(connection, relation, changed)


def _put_words(connection: Connection, relation: Relation, held: Held, into: str) -> None:
    """Write into a column the texts of the old one's values, which Python makes."""
    table, old = quoted(relation.name), quoted(held.name)
    run(connection, f"DROP TEMPORARY TABLE IF EXISTS {_WORDS}")
    run(
        connection,
        f"CREATE TEMPORARY TABLE {_WORDS} (INDEX found ({old}), "  # noqa: S608 (names are quoted)
        "words longtext CHARACTER SET utf8mb4) "
        f"ENGINE=InnoDB SELECT {old} FROM {table} LIMIT 0",
    )
    for values in _distinct(connection, table, old):
        pairs = [(value, _text(value, held)) for (value,) in values]
        statement = f"INSERT INTO {_WORDS} ({old}, words) VALUES (%s, %s)"  # noqa: S608 (names are quoted)
        connection.exec_driver_sql(_marked(statement, old), pairs)
    run(
        connection,
        f"UPDATE {table} AS old STRAIGHT_JOIN {_WORDS} AS new "  # noqa: S608 (names are quoted)
        f"FORCE INDEX FOR JOIN (found) ON old.{old} = new.{old} "
        f"SET old.{into} = new.words",
    )
    run(connection, f"DROP TEMPORARY TABLE {_WORDS}")


def _distinct(connection: Connection, table: str, column: str) -> Iterator[Sequence[Row[Any]]]:
    """Yield a column's values, so many at once."""
    last: Any = None
    while True:
        beyond = "IS NOT NULL" if last is None else "> %s"
        statement = (
            f"SELECT DISTINCT {column} FROM {table} WHERE {column} {beyond} "  # noqa: S608 (names are quoted)
            f"ORDER BY {column} LIMIT {_AT_ONCE}"
        )
        found: Sequence[Row[Any]]
        if last is None:
            found = run(connection, statement).all()
        else:
            found = connection.exec_driver_sql(_marked(statement, column, table), (last,)).all()
        if not found:
            return
        yield found
        last = found[-1][0]


def _marked(statement: str, *names: str) -> str:
    """Return the statement with the percent signs of names doubled, as the driver wants them."""
    for name in names:
        if "%" in name:
            statement = statement.replace(name, name.replace("%", "%%"))
    return statement


def _text(value: Any, held: Held) -> str | None:
    """Return the text of a value, of which the database may have made a text already."""
    if not isinstance(value, str):
        return as_text(value)
    if held.kind is Kind.BOOL:
        return {"0": "false", "1": "true"}.get(value, value)
    if held.kind is Kind.FLOAT:
        return as_text(float(value))
    if held.kind is Kind.NUMERIC:
        return value.rstrip("0").rstrip(".") if "." in value else value
    with suppress(ValueError):
        moment = datetime.fromisoformat(value)
        return as_text(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return value


def _required(connection: Connection, relation: Relation, name: str) -> str:
    found = _column(connection, relation, name)
    return " NOT NULL" if found is not None and found.Null == "NO" else ""


def _column(connection: Connection, relation: Relation, name: str) -> Row[Any] | None:
    rows = run(connection, f"SHOW COLUMNS FROM {quoted(relation.name)}")
    return next((row for row in rows.all() if row.Field.lower() == name.lower()), None)


def _alter(connection: Connection, relation: Relation, change: str) -> None:
    run(connection, f"ALTER TABLE {quoted(relation.name)} {change}")
