"""Lists of values in files of the project's folder: a column of CSV, or JSON."""

from __future__ import annotations

import csv
from difflib import get_close_matches
from io import StringIO
from typing import Any

import msgspec

from astrio.tasks.mapping.tables import read_text
from astrio.tasks.mapping.values import LiteralError


def read_values(name: str, column: str | None) -> tuple[list[Any], bool]:
    """Return the values that a file lists, and whether they can only be texts.

    Args:
        name: a CSV or JSON file in the present folder or below it.
        column: CSV: the column's heading; None: the file has one column and no heading. JSON:
            the key of each object; None: the list's elements, or the object's keys.

    Raises:
        LiteralError: the file is not there, lies outside, or has no such column.
    """
    text = read_text(name)
    if name.lower().endswith(".json"):
        return _of_json(name, text, column), False
    return _of_csv(name, text, column), True


def _of_json(name: str, text: str, column: str | None) -> list[Any]:
    try:
        found = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        raise LiteralError(f"The file {name} is no JSON.") from None
    if column is None and isinstance(found, dict | list):
        return list(found)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        needed = "a list or an object" if column is None else "a list of objects"
        raise LiteralError(f"The file {name} must be {needed}.")
    if not any(column in each for each in found):
        raise LiteralError(_no_column(name, column, {key for each in found for key in each}))
    return [each.get(column) for each in found]


def _of_csv(name: str, text: str, column: str | None) -> list[Any]:
    try:
        rows = [row for row in csv.reader(StringIO(text), strict=True) if row]
    except csv.Error as error:
        raise LiteralError(f"The file {name} is no CSV: {error}.") from None
    if column is None:
        if any(len(row) > 1 for row in rows):
            raise LiteralError(f"The file {name} has several columns: name one with `column`.")
        return [row[0] for row in rows]
    if not rows or column not in rows[0]:
        raise LiteralError(_no_column(name, column, rows[0] if rows else ()))
    place = rows[0].index(column)
    return [row[place] for row in rows[1:] if len(row) > place]


def _no_column(name: str, column: str | None, known: Any) -> str:
    close = get_close_matches(str(column), [str(each) for each in known], n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    return f"The file {name} has no column {column}.{hint}"
