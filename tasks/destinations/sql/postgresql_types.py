"""PostgreSQL's column types: what astrio makes, what users have, how values turn to text."""

from __future__ import annotations

from typing import Final

from astrio.tasks.destinations.sql.dialect import Held
from astrio.tasks.destinations.sql.kinds import Kind

TYPES: Final = {
    Kind.BOOL: "boolean",
    Kind.INT: "bigint",
    Kind.NUMERIC: "numeric",
    Kind.FLOAT: "double precision",
    Kind.DATE: "date",
    Kind.TIMESTAMP: "timestamp with time zone",
    Kind.JSON: "json",  # not jsonb: it keeps the order of keys, and NUL characters in texts
    Kind.TEXT: "text",
}

_KINDS: Final = {name: kind for kind, name in TYPES.items()}
_NUMBERS: Final = frozenset({Kind.INT, Kind.LONG, Kind.NUMERIC, Kind.FLOAT})
_MOMENTS: Final = frozenset({Kind.TIMESTAMP, Kind.DATE, Kind.TEXT})
# Texts are parsed by the database: one that is no date fails its row, and the column stays.
_TAKEN: Final = {
    Kind.NUMERIC: _NUMBERS,
    Kind.TIMESTAMP: _MOMENTS,
    Kind.DATE: frozenset({Kind.DATE, Kind.TEXT}),
}
_USERS: Final = {
    "smallint": (Kind.INT, frozenset({Kind.INT})),
    "integer": (Kind.INT, frozenset({Kind.INT})),
    "real": (Kind.FLOAT, frozenset({Kind.INT, Kind.FLOAT})),
    "numeric": (Kind.NUMERIC, _NUMBERS),
    "jsonb": (Kind.JSON, _NUMBERS | {Kind.JSON}),
    "timestamp without time zone": (Kind.TIMESTAMP, _MOMENTS),
    "timestamp with time zone": (Kind.TIMESTAMP, _MOMENTS),
}
_NO_EQUALITY: Final = ("json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle")

_AS_TEXT: Final = {
    # As Python writes a float, which differs for whole numbers, near 1e15, and beyond all numbers.
    "double precision": "CASE WHEN {v} = 'NaN' THEN 'nan' "
    "WHEN {v} IN ('Infinity', '-Infinity') THEN replace({v}::text, 'Infinity', 'inf') "
    "WHEN abs({v}) >= 1e16 OR {v}::text LIKE '%e-%' THEN {v}::text "
    "WHEN {v}::text::numeric::text LIKE '%.%' THEN {v}::text::numeric::text "
    "ELSE {v}::text::numeric::text || '.0' END",
    "timestamp with time zone": "to_char({v} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS') || "
    "CASE WHEN extract(microseconds FROM {v})::bigint % 1000000 = 0 THEN '' "
    "ELSE to_char({v}, '.US') END || '+00:00'",
}


def held(name: str, declared: str, base: str, category: str, *, generated: bool) -> Held:
    """Return a column as it stands.

    Args:
        name: its name.
        declared: its type as `format_type` writes it.
        base: the same of the type that a domain is made of.
        category: `pg_type.typcategory`.
        generated: only the database fills it.
    """
    if generated:
        words = f"{declared}, which the database fills"
        return Held(name, Kind.ANY, words, fixed=True, generated=True)
    if declared in _KINDS:
        kind = _KINDS[declared]
        return Held(name, kind, declared, takes=_TAKEN.get(kind, frozenset()))
    if category == "S":
        return Held(name, Kind.TEXT, declared)
    bare = _without_modifier(base)
    kind, taken = _USERS.get(bare, (Kind.ANY, frozenset() if category == "A" else {Kind.TEXT}))
    if bare in _KINDS and bare not in _USERS:  # a domain
        kind = _KINDS[bare]
        taken = _TAKEN.get(kind, frozenset({kind}))
    return Held(name, kind, declared, takes=frozenset(taken), fixed=True)


def text_of(column: str, declared: str) -> str:
    """Return the SQL of a quoted column's text, the same as `as_text` makes of its values."""
    return _AS_TEXT.get(declared, "{v}::text").replace("{v}", column)


def compared(column: str, declared: str) -> str:
    """Return the SQL by which a quoted column's values are compared."""
    return f"{column}::text" if _without_modifier(declared) in _NO_EQUALITY else column


def without_zone(declared: str) -> bool:
    """Whether the type holds times without saying in which zone."""
    return _without_modifier(declared) == "timestamp without time zone"


def _without_modifier(declared: str) -> str:
    """Return `timestamp with time zone` for `timestamp(3) with time zone`."""
    head, _, rest = declared.partition("(")
    return head + rest.partition(")")[2]
