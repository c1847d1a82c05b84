"""What SQLite's errors mean to the user (https://sqlite.org/rescode.html)."""

from __future__ import annotations

import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError

from astrio.blocks.errors import AstrioError, DestinationBusyError, DestinationError
from astrio.blocks.redaction import redact
from astrio.tasks.destinations.sql.locked import LockedError

_MEANINGS: Final[dict[int, tuple[type[AstrioError], str, str]]] = {
    sqlite3.SQLITE_BUSY: (
        LockedError,
        "is locked by another process",
        "Let that process end its transaction, then run again.",
    ),
    sqlite3.SQLITE_LOCKED: (
        LockedError,
        "is locked by another connection",
        "Let that connection end its transaction, then run again.",
    ),
    sqlite3.SQLITE_FULL: (
        DestinationBusyError,
        "cannot grow: the disk is full",
        "Free some space, then run again: nothing that was committed is lost.",
    ),
    sqlite3.SQLITE_IOERR: (
        DestinationBusyError,
        "could not be read or written",
        "Check the disk, then run again.",
    ),
    sqlite3.SQLITE_READONLY: (
        DestinationError,
        "cannot be written",
        "Give this user the right to write the file and its folder.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        DestinationError,
        "cannot be opened",
        "Check the path and the rights of the file and its folder.",
    ),
    sqlite3.SQLITE_NOTADB: (
        DestinationError,
        "is not a SQLite database",
        "Name another file in push.to.url.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        DestinationError,
        "is damaged",
        "Restore it from a backup, or try `sqlite3 FILE .recover`.",
    ),
}


def explain(error: Exception, reference: str) -> AstrioError:
    """Return the astrio error for an error of the driver or of SQLAlchemy."""
    original: object = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(original, "sqlite_errorcode", 0) & 0xFF
    words = redact(str(original).partition("\n")[0])
    if code in _MEANINGS:
        kind, meaning, advice = _MEANINGS[code]
        return kind(f"The database {reference} {meaning} ({words}).", advice=advice)
    return DestinationError(f"The database {reference} refuses a statement: {words}.")


def refusal(error: Exception) -> str | None:
    """Return SQLite's words if it refuses a row: a constraint, a trigger, a value too big."""
    if isinstance(error, sqlite3.IntegrityError | sqlite3.DataError):
        return redact(str(error))
    return None
