"""MySQL's and MariaDB's column types: what astrio makes, what users have, how values turn to text.

A text is compared by its bytes, trailing blanks included, so that 'a', 'A' and 'a ' are three keys.
"""

from __future__ import annotations

import re
from typing import Any, Final

from sqlalchemy import Connection

from astrio.tasks.destinations.sql.dialect import Held
from astrio.tasks.destinations.sql.kinds import Kind
from astrio.tasks.destinations.sql.tables import exact_collation

WHOLE_DIGITS: Final = 35
FRACTION_DIGITS: Final = 30
TYPES: Final = {
    Kind.BOOL: "boolean",
    Kind.INT: "bigint",
    Kind.NUMERIC: f"decimal({WHOLE_DIGITS + FRACTION_DIGITS},{FRACTION_DIGITS})",
    Kind.FLOAT: "double",
    Kind.DATE: "date",
    Kind.TIMESTAMP: "datetime(6)",  # in UTC; a TIMESTAMP would end in 2038
    Kind.JSON: "json",
    Kind.TEXT: "longtext",
}
LONGEST_KEY: Final = 768
"""The most characters of all texts in a key: an index takes 3072 bytes, a character four."""

_MOMENTS: Final = frozenset({Kind.TIMESTAMP, Kind.DATE, Kind.TEXT})
_NUMBERS: Final = frozenset({Kind.INT, Kind.LONG, Kind.NUMERIC, Kind.FLOAT})
_OWN: Final = {
    "tinyint(1)": (Kind.BOOL, frozenset[Kind]()),
    "bigint": (Kind.INT, frozenset[Kind]()),
    TYPES[Kind.NUMERIC]: (Kind.NUMERIC, frozenset[Kind]()),
    "double": (Kind.FLOAT, frozenset[Kind]()),
    "datetime(6)": (Kind.TIMESTAMP, _MOMENTS),
    "date": (Kind.DATE, frozenset({Kind.DATE, Kind.TEXT})),
    "json": (Kind.JSON, frozenset[Kind]()),
}
_USERS: Final = {
    "tinyint": (Kind.INT, frozenset({Kind.INT})),
    "smallint": (Kind.INT, frozenset({Kind.INT})),
    "mediumint": (Kind.INT, frozenset({Kind.INT})),
    "int": (Kind.INT, frozenset({Kind.INT})),
    "bigint": (Kind.INT, frozenset({Kind.INT, Kind.LONG})),
    "float": (Kind.FLOAT, frozenset({Kind.INT, Kind.FLOAT})),
    "double": (Kind.FLOAT, frozenset({Kind.INT, Kind.FLOAT})),
    "decimal": (Kind.NUMERIC, _NUMBERS),
    "datetime": (Kind.TIMESTAMP, _MOMENTS),
    "timestamp": (Kind.TIMESTAMP, _MOMENTS),
}
_TEXTS: Final = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext")
# As `as_text` writes them, where the database's own words differ.
_AS_TEXT: Final = {
    "tinyint(1)": "CASE {v} WHEN 0 THEN 'false' WHEN 1 THEN 'true' ELSE CAST({v} AS CHAR) END",
    "datetime(6)": "CONCAT(DATE_FORMAT({v}, '%Y-%m-%dT%H:%i:%s'), "
    "IF(MICROSECOND({v}) = 0, '', DATE_FORMAT({v}, '.%f')), '+00:00')",
    TYPES[Kind.NUMERIC]: "TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM CAST({v} AS CHAR)))",
}


def held(row: Any, *, is_json: bool) -> Held:
    """Return a column as it stands.

    Args:
        row: of SHOW COLUMNS.
        is_json: a text that the table checks to be JSON, which is MariaDB's type of that name.
    """
    name, declared = str(row.Field), str(row.Type)
    if is_generated(row.Extra):
        words = f"{declared}, which the database fills"
        return Held(name, Kind.ANY, words, fixed=True, generated=True)
    if is_json:
        return Held(name, Kind.JSON, "json")
    plain = re.sub(r"^(\w*int)\((?!1\)$)\d+\)", r"\1", declared)  # bigint(20) is MariaDB's word
    if plain in _OWN:
        kind, takes = _OWN[plain]
        return Held(name, kind, plain, takes=takes)
    bare = re.split(r"[( ]", plain)[0]
    if bare in _TEXTS:
        return Held(name, Kind.TEXT, plain)
    kind, takes = _USERS.get(bare, (Kind.ANY, frozenset({Kind.TEXT})))
    return Held(name, kind, plain, takes=takes, fixed=True)


def is_generated(extra: str) -> bool:
    """Whether SHOW COLUMNS says that only the database fills the column."""
    return "GENERATED" in extra.upper().replace("DEFAULT_GENERATED", "")


def type_of(connection: Connection, kind: Kind, keys: int = 0) -> str:
    """Return the type of a new column; `keys` is of how many columns the key is that it is in.

    A text in a key has a length, because an index has one: a longer one is refused, and told.
    """
    if kind is not Kind.TEXT:
        return TYPES[kind]
    name = f"varchar({LONGEST_KEY // keys})" if keys else TYPES[kind]
    return f"{name} CHARACTER SET utf8mb4 COLLATE {exact_collation(connection.dialect)}"


def text_of(column: str, declared: str) -> str | None:
    """Return the SQL of a quoted column's text, None where the database's own words will do."""
    found = _AS_TEXT.get(declared)
    return None if found is None else found.replace("{v}", column)


def compared(column: str, declared: str) -> str:
    """Return the SQL by which a quoted column's values are compared: texts by their bytes."""
    bare = re.split(r"[( ]", declared)[0]
    return f"CAST({column} AS BINARY)" if bare in {*_TEXTS, "enum", "set"} else column


def is_moment(declared: str) -> bool:
    """Whether the type holds times, without saying in which zone."""
    return declared.startswith(("datetime", "timestamp"))


def is_text(declared: str) -> bool:
    """Whether the type holds texts."""
    return re.split(r"[( ]", declared)[0] in _TEXTS
