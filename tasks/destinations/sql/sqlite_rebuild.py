"""Changing column types in SQLite, which has no ALTER TYPE: the table is rebuilt.

Follows https://sqlite.org/lang_altertable.html#otheralter within the caller's transaction. The
table's own CREATE statement is kept, save for its name and the types concerned, so that keys,
constraints, defaults and generated columns stay; its indexes and triggers are created anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
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
    name = relation.name
    definition = str(connection.exec_driver_sql(_DEFINITION, (name,)).scalar_one())
    dependants = connection.exec_driver_sql(_DEPENDANTS, (name,)).scalars().all()
    before = connection.exec_driver_sql("PRAGMA legacy_alter_table").scalar()
    # Otherwise renaming would rewrite the references of other tables, views and triggers.
    connection.exec_driver_sql("PRAGMA legacy_alter_table = ON")
    connection.exec_driver_sql(retyped(definition, _TEMPORARY, types))
    _copy(connection, relation, types)
    connection.exec_driver_sql(f"DROP TABLE {quoted(name)}")
    connection.exec_driver_sql(f"ALTER TABLE {_TEMPORARY} RENAME TO {quoted(name)}")
    for statement in dependants:
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"PRAGMA legacy_alter_table = {before}")


def retyped(definition: str, name: str, types: Mapping[str, str]) -> str:
    """Return a CREATE TABLE statement for `name`, with other declared types for some columns."""
    wanted = {column_name.lower(): declared for column_name, declared in types.items()}
    _create, _table, old_name, *rest = _tokens(definition)
    changes = [(old_name[1], old_name[2], name)]
    for tokens in _definitions(rest):
        declared = wanted.pop(_unquoted(tokens[0][0]).lower(), None)
        if declared is not None:
            changes.append((tokens[0][2], _type_end(tokens), f" {declared}"))
    for start, end, text in reversed(changes):
        definition = definition[:start] + text + definition[end:]
    return definition


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
