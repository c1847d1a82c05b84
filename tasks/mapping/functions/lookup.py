"""lookup(value, table, default): what a table holds for a value; `default` or null if nothing.

The table is an object, or the name of a file in the project's folder: JSON with an object, or
CSV, where the first column is looked up and the second is the result. A number or date is
looked up as the text that `concat` makes of it.
"""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.tables import read_table
from astrio.tasks.mapping.values import as_text, mismatch

EXAMPLES = [
    ("lookup('DE', {DE: 'Germany', FR: 'France'})", "Germany"),
    ("lookup(7, {'7': 'seven'})", "seven"),
    ("lookup('XX', {DE: 'Germany'}, 'other')", "other"),
    ("lookup(null, {DE: 'Germany'})", None),
]
REJECTS = ["lookup('DE', 1)", "lookup([1], {DE: 1})"]


def prepare(position: int, value: Any) -> Any:
    """Read the table of a file, once."""
    return read_table(value) if position == 1 and isinstance(value, str) else value


def call(value: Any, table: Any, default: Any = None) -> Any:
    """Look it up."""
    if not isinstance(table, dict):
        mismatch("lookup()", "an object or a file's name", table)
    found = None if value is None else table.get(as_text("lookup()", value))
    return default if found is None else found
