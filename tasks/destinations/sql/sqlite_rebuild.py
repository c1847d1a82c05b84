"""Changing column types in SQLite, which has no ALTER TYPE: the table is rebuilt.

Follows https://sqlite.org/lang_altertable.html#otheralter within the caller's transaction. The
table's own CREATE statement is kept, save for its name and the types concerned, so that keys,
constraints, defaults and generated columns stay; its indexes and triggers are created anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, column, func, insert, select, table
from sqlalchemy.sql.elements import ColumnClause, ColumnElement, quoted_name

from astrio.tasks.destinations.sql.dialect import Relation, quoted
from astrio.tasks.destinations.sql.kinds import Kind

_TEMPORARY: Final = "_astrio_rebuilt"
_TOKEN: Final = re.compile(
    r"--[^\n]*|/\*.*?\*/|\s+"
    r"|(?P<word>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\[[^\]]*\]|\w[\w$]*|.)",
    re.DOTALL,
)
_CONSTRAINTS: Final = frozenset(
    {"CONSTRAINT", "PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE"}
    | {"REFERENCES", "GENERATED", "AS"}
)
_DEFINITION: Final = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"
_DEPENDANTS: Final = (
    "SELECT sql FROM sqlite_master WHERE tbl_name = ? COLLATE NOCASE "
    "AND type IN ('index', 'trigger') AND sql IS NOT NULL"
)
_STORED: Final = "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0"

Token = tuple[str, int, int]


def rebuild(connection: Connection, relation: Relation, types: Mapping[str, str]) -> None:
    """Give columns (by name) new declared types; values turn into text where the type is TEXT."""
    connection.exec_driver_sql(retyped(definition(connection, relation.name), _TEMPORARY, types))
    _copy(connection, relation, types)
    take_place(connection, _TEMPORARY, relation.name)


def take_place(connection: Connection, new: str, name: str) -> None:
    """Drop the table `name` and call the table `new` by that name; indexes and triggers stay."""
    dependants = connection.exec_driver_sql(_DEPENDANTS, (name,)).scalars().all()
    with _references_kept(connection):
        connection.exec_driver_sql(f"DROP TABLE {quoted(name)}")
        rename(connection, new, name)
        for statement in dependants:
            connection.exec_driver_sql(statement)


def rename(connection: Connection, old: str, new: str) -> None:
    """Rename a table; what refers to the new name stays as it is."""
    with _references_kept(connection):
        connection.exec_driver_sql(f"ALTER TABLE {quoted(old)} RENAME TO {quoted(new)}")


@contextmanager
def _references_kept(connection: Connection) -> Iterator[None]:
    # Otherwise renaming would rewrite the references of other tables, views and triggers, and
    # fail where one refers to a table that is missing.
    before = connection.exec_driver_sql("PRAGMA legacy_alter_table").scalar()
    connection.exec_driver_sql("PRAGMA legacy_alter_table = ON")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA legacy_alter_table = {before}")


def definition(connection: Connection, name: str) -> str:
    """Return the table's CREATE statement."""
    return str(connection.exec_driver_sql(_DEFINITION, (name,)).scalar_one())


def retyped(created: str, name: str, types: Mapping[str, str]) -> str:
    """Return a CREATE TABLE statement for `name`, with other declared types for some columns."""
    wanted = {column_name.lower(): declared for column_name, declared in types.items()}
    _create, _table, old_name, *rest = _tokens(created)
    changes = [(old_name[1], old_name[2], name)]
    for tokens in _definitions(rest):
        declared = wanted.pop(_unquoted(tokens[0][0]).lower(), None)
        if declared is not None:
            changes.append((tokens[0][2], _type_end(tokens), f" {declared}"))
    return _changed(created, changes)


def reindexed(created: str, name: str, of: str) -> str:
    """Return a CREATE UNIQUE INDEX statement with another name, for another table."""
    _create, _unique, _index, old_name, _on, old_table, *_ = _tokens(created)
    return _changed(created, [(*old_name[1:], name), (*old_table[1:], of)])


def column_definitions(created: str) -> dict[str, str]:
    """Return each column's whole definition out of a CREATE TABLE statement, by lower-case name."""
    found: dict[str, str] = {}
    for tokens in _definitions(_tokens(created)[3:]):
        name = _unquoted(tokens[0][0]).lower()
        found.setdefault(name, created[tokens[0][1] : tokens[-1][2]])
    return found


def _changed(statement: str, changes: Sequence[tuple[int, int, str]]) -> str:
    for start, end, text in reversed(changes):
        statement = statement[:start] + text + statement[end:]
    return statement


def _copy(connection: Connection, relation: Relation, types: Mapping[str, str]) -> None:
    names = [
        quoted_name(str(name), quote=True)
        for name in connection.exec_driver_sql(_STORED, (relation.name,)).scalars()
    ]
    columns: list[ColumnClause[Any]] = [column(name) for name in names]
    source = table(quoted_name(relation.name, quote=True), *columns)
    into = table(_TEMPORARY, *(column(name) for name in names))

    def value(name: str) -> ColumnElement[object]:
        if types.get(name) != "TEXT":
            return source.c[name]
        was_bool = relation.columns[name.lower()].kind is Kind.BOOL
        return func._astrio_text(source.c[name], int(was_bool))

    connection.execute(insert(into).from_select(list(names), select(*map(value, names))))


def _tokens(sql: str) -> list[Token]:
    found = _TOKEN.finditer(sql)
    return [(token["word"], *token.span()) for token in found if token["word"] is not None]


def _definitions(tokens: list[Token]) -> Iterator[list[Token]]:
    """Yield the comma-separated parts between the outermost parentheses."""
    depth, part = 0, list[Token]()
    for token in tokens:
        depth += (token[0] == "(") - (token[0] == ")")
        if depth == 0 and token[0] == ")":
            yield part
            return
        if depth == 1 and token[0] == ",":
            yield part
            part = []
        elif depth > 1 or token[0] != "(":
            part.append(token)


def _type_end(tokens: list[Token]) -> int:
    """Return where a column's declared type ends: before its first constraint."""
    end = tokens[0][2]
    for word, _, word_end in tokens[1:]:
        if word.upper() in _CONSTRAINTS:
            break
        end = word_end
    return end


def _unquoted(word: str) -> str:
    if word[0] in "\"'`":
        return word[1:-1].replace(word[0] * 2, word[0])
    return word[1:-1] if word[0] == "[" else word
