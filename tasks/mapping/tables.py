"""Look-up tables in files: JSON with an object, or CSV with two columns or more."""

from __future__ import annotations

import csv
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Any, Final

import msgspec

from astrio.tasks.mapping.values import LiteralError

_LARGEST: Final = 50_000_000


def read_table(name: str) -> dict[str, Any]:
    """Return the table of a file in the present folder or below it, read anew if it has changed.

    Raises:
        LiteralError: it is not there, lies outside, or holds no table.
    """
    return _table(*_found(name))


def read_text(name: str) -> str:
    """Return the text of a file in the present folder or below it.

    Raises:
        LiteralError: it is not there, lies outside, or is no text.
    """
    file, _, _ = _found(name)
    return _text(file)


def _found(name: str) -> tuple[Path, int, int]:
    file = Path(name)
    if file.is_absolute() or ".." in file.parts:
        raise LiteralError(f"The table {name} must lie in the project's folder.")
    try:
        told = file.stat()
    except (OSError, ValueError):
        raise LiteralError(f"There is no file {name} in {Path.cwd()}.") from None
    if told.st_size > _LARGEST:
        raise LiteralError(f"The table {name} is larger than {_LARGEST // 1_000_000} MB.")
    return file.absolute(), told.st_mtime_ns, told.st_size


@lru_cache(32)
def _table(file: Path, _changed: int, _size: int) -> dict[str, Any]:
    text = _text(file)
    return _of_json(file, text) if file.suffix.lower() == ".json" else _of_csv(file, text)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = "is no UTF-8 text" if isinstance(error, UnicodeDecodeError) else "cannot be read"
        raise LiteralError(f"The table {file.name} {reason}.") from None


def _of_json(file: Path, text: str) -> dict[str, Any]:
    try:
        table = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        raise LiteralError(f"The table {file.name} is no JSON.") from None
    if not isinstance(table, dict):
        raise LiteralError(f"The table {file.name} must be a JSON object.")
    return table


def _of_csv(file: Path, text: str) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for number, row in enumerate(csv.reader(StringIO(text)), start=1):
        if row and len(row) < 2:
            raise LiteralError(f"The table {file.name} has no second column in row {number}.")
        if row:
            table[row[0]] = row[1]
    return table
