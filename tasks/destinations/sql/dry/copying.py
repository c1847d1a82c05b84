"""A copy of a SQLite file, for the second of two dry runs at work in one database."""

from __future__ import annotations

import sqlite3
from contextlib import closing


def copy_into(file: str, copy: str) -> None:
    """Copy what is committed in a SQLite file; whoever writes to it is not kept waiting."""
    with (
        closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as here,
        closing(sqlite3.connect(copy)) as there,
    ):
        here.backup(there)
