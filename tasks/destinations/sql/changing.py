"""Changes of tables in a database that commits them by themselves.

Such a change never takes place within the transaction that writes rows: it would commit the rows
without the resume point that belongs to them. Where one turns out to be needed, the transaction is
rolled back, the table is changed, and the rows are written again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection

from astrio.tasks.report import TableChanges

_ALLOWED: Final = "astrio_changes"


class TableChange(Exception):  # noqa: N818 (no error: something that is to be done first)
    """A table must be changed before the rows can be written.

    Attributes:
        table: its name.
        what: tells this change from others.
        make: makes it, and returns how a table that was there before has been changed.
    """

    def __init__(self, table: str, what: Any, make: Callable[[Connection], TableChanges]) -> None:
        """Take the table, what tells the change from others, and what makes it."""
        super().__init__("a table must be changed first")
        self.table = table
        self.what = what
        self.make = make


def are_allowed(connection: Connection) -> bool:
    """Whether tables may be changed on this connection now."""
    return bool(connection.info.get(_ALLOWED))


@contextmanager
def allowed(connection: Connection) -> Iterator[None]:
    """Allow tables to be changed: no row has been written in this transaction."""
    connection.info[_ALLOWED] = True
    try:
        yield
    finally:
        connection.info[_ALLOWED] = False
