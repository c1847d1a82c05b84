"""Reading statements that create tables and indexes, as far as changing them needs it.

Databases that keep such statements return them: SQLite as they were written, DuckDB in words of
its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

_TOKEN: Final = re.compile(
    r"--[^\n]*|/\*.*?\*/|\s+"
    r"|(?P<word>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\[[^\]]*\]|\w[\w$]*|.)",
    re.DOTALL,
)
_CONSTRAINTS: Final = frozenset(
    {"CONSTRAINT", "PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE"}
    | {"REFERENCES", "GENERATED", "AS"}
)

Token = tuple[str, int, int]


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


def indexed_columns(created: str) -> list[str | None]:
    """Return the columns of a CREATE INDEX statement, None for each expression."""
    tokens = _tokens(created)
    opening = next(at for at, token in enumerate(tokens) if token[0] == "(")
    parts = _definitions(tokens[opening:])
    return [_unquoted(part[0][0]) if len(part) == 1 else None for part in parts]


def without_foreign_keys(created: str) -> str:
    """Return a CREATE TABLE statement without the FOREIGN KEY clauses that stand by themselves."""
    tokens = _tokens(created)[3:]
    gone = [part for part in _definitions(tokens) if part[0][0].upper() == "FOREIGN"]
    ends = [end for word, _, end in tokens if word == ","]
    changes = []
    for part in gone:
        start = max((end for end in ends if end <= part[0][1]), default=part[0][1])
        changes.append((start - 1, part[-1][2], ""))
    return _changed(created, changes)


def _changed(statement: str, changes: Sequence[tuple[int, int, str]]) -> str:
    for start, end, text in reversed(changes):
        statement = statement[:start] + text + statement[end:]
    return statement


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
