"""DuckDB's column types: what astrio makes, what users have, how values turn to text."""

from __future__ import annotations

from typing import Final

from astrio.tasks.destinations.sql.dialect import Held
from astrio.tasks.destinations.sql.kinds import Kind

# Decimals and integers beyond 64 bits are text, exactly: DECIMAL has one scale for all values.
TYPES: Final = {
    Kind.BOOL: "BOOLEAN",
    Kind.INT: "BIGINT",
    Kind.FLOAT: "DOUBLE",
    Kind.DATE: "DATE",
    Kind.TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
    Kind.JSON: "JSON",
    Kind.TEXT: "VARCHAR",
}

_KINDS: Final = {name: kind for kind, name in TYPES.items()}
_WHOLE: Final = frozenset({Kind.INT, Kind.LONG})
_NUMBERS: Final = _WHOLE | {Kind.NUMERIC, Kind.FLOAT}
_MOMENTS: Final = frozenset({Kind.TIMESTAMP, Kind.DATE, Kind.TEXT})
# Texts are parsed by the database: one that is no date fails its row, and the column stays.
_TAKEN: Final = {
    Kind.TIMESTAMP: _MOMENTS,
    Kind.DATE: frozenset({Kind.DATE, Kind.TEXT}),
    Kind.INT: _WHOLE,
}
_USERS: Final = {
    **dict.fromkeys(
        ("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"),
        (Kind.INT, frozenset({Kind.INT})),
    ),
    **dict.fromkeys(
        ("UBIGINT", "HUGEINT", "UHUGEINT", "BIGNUM"), (Kind.NUMERIC, _WHOLE | {Kind.NUMERIC})
    ),
    "FLOAT": (Kind.FLOAT, frozenset({Kind.INT, Kind.FLOAT})),
    "DECIMAL": (Kind.NUMERIC, _NUMBERS),
    **dict.fromkeys(
        ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), (Kind.TIMESTAMP, _MOMENTS)
    ),
}
_NESTED: Final = ("STRUCT(", "MAP(")
_OF_MOMENTS: Final = (
    "strftime({v}, '%Y-%m-%dT%H:%M:%S') || "
    "CASE WHEN microsecond({v}) % 1000000 = 0 THEN '' ELSE strftime({v}, '.%f') END || '+00:00'"
)


def held(name: str, declared: str, *, generated: bool) -> Held:
    """Return a column as it stands; `generated`: only the database fills it."""
    if generated:
        words = f"{declared}, which the database fills"
        return Held(name, Kind.ANY, words, fixed=True, generated=True)
    if declared in _KINDS:
        kind = _KINDS[declared]
        return Held(name, kind, declared, takes=_TAKEN.get(kind, frozenset()))
    other = (Kind.ANY, frozenset({Kind.TEXT, Kind.JSON} if is_nested(declared) else {Kind.TEXT}))
    kind, taken = _USERS.get(declared.partition("(")[0], other)
    return Held(name, kind, declared, takes=taken, fixed=True)


def is_nested(declared: str) -> bool:
    """Whether values of the type are read from JSON."""
    return declared.endswith("]") or declared.startswith(_NESTED)


def text_of(column: str, declared: str) -> str:
    """Return the SQL of a quoted column's text, the same as `as_text` makes of its values."""
    how = _OF_MOMENTS if declared == TYPES[Kind.TIMESTAMP] else "CAST({v} AS VARCHAR)"
    return how.replace("{v}", column)
