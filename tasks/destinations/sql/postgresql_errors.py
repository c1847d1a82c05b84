"""What PostgreSQL's errors mean to the user, by SQLSTATE (its manual, appendix A)."""

from __future__ import annotations

import re
from typing import Final

import psycopg
from sqlalchemy.exc import DBAPIError

from astrio.blocks.errors import AstrioError, DestinationBusyError, DestinationError
from astrio.blocks.redaction import redact
from astrio.tasks.destinations.sql.locked import DeadlockError, LockedError

_Meaning = tuple[type[AstrioError], str, str]

_LATER: Final = "Run again when it is back: nothing that was committed is lost."
_LOCKED: Final = (
    LockedError,
    "is locked by another session",
    "Let that session end its transaction, then run again.",
)
_ENDED: Final = (
    DeadlockError,
    "has ended a transaction that waited for another one, and that one for it",
    "Run again; where it happens often, let fewer runs write at once.",
)
_LETS_NOT_IN: Final = (
    DestinationError,
    "does not let this user in",
    "Check the user, the password and pg_hba.conf.",
)
_MISSING: Final = (
    DestinationError,
    "does not exist",
    "Create it (createdb), or correct the name in the URL.",
)
_MEANINGS: Final[dict[str, _Meaning]] = {
    "08": (DestinationBusyError, "has broken the connection off", _LATER),
    "28": _LETS_NOT_IN,
    "3D000": _MISSING,
    "25006": (
        DestinationError,
        "takes no writes",
        "Name the primary server: this one is a standby, or set to read only.",
    ),
    "25P": (DestinationBusyError, "has ended an idle transaction", "Run again."),
    "40001": _ENDED,
    "40P01": _ENDED,
    "40": _LOCKED,
    "55P03": _LOCKED,
    "42501": (
        DestinationError,
        "does not permit a statement",
        "GRANT this user the right to create tables in the schema, and to change this one.",
    ),
    "53100": (
        DestinationBusyError,
        "cannot grow: the disk is full",
        "Free some space, then run again: nothing that was committed is lost.",
    ),
    "53": (DestinationBusyError, "has no more resources for this", _LATER),
    "57014": (DestinationBusyError, "has cancelled a statement", "Raise statement_timeout."),
    "57": (DestinationBusyError, "is being shut down or started", _LATER),
    "58": (DestinationBusyError, "could not read or write its files", "Check its disk and log."),
    "XX": (DestinationError, "has failed", "See the server's log."),
    "0A000": (
        DestinationError,
        "cannot change the table",
        "Drop the views that use the column and create them again after the run, or convert the "
        "values in `map` to what the column holds.",
    ),
}
# An error of connecting has no code, and is written in the server's language.
_TOLD: Final[tuple[tuple[str, _Meaning], ...]] = (
    (r"authentication failed|no pg_hba\.conf entry|no password supplied", _LETS_NOT_IN),
    (r"role .* does not exist|permission denied for database", _LETS_NOT_IN),
    (r"database .* does not exist", _MISSING),
    (r"starting up|shutting down|too many (clients|connections)", _MEANINGS["53"]),
)
_UNREACHED: Final = (
    DestinationBusyError,
    "cannot be reached",
    "Check the address, and that the server runs; nothing that was committed is lost.",
)
_ROW_FAULTS: Final = ("21", "22", "23", "44", "54", "P0", "428C9")
_VALUE: Final = re.compile(r': "|\d{4}-\d\d-\d\d')


def explain(error: Exception, reference: str) -> AstrioError:
    """Return the astrio error for an error of the driver or of SQLAlchemy."""
    original: object = error.orig if isinstance(error, DBAPIError) else error
    words = redact(_words(original))
    found = _meaning(original, words)
    if found is None:
        return DestinationError(f"The database {reference} refuses a statement: {words}.")
    kind, meaning, advice = found
    return kind(f"The database {reference} {meaning} ({words}).", advice=advice)


def refusal(error: Exception) -> str | None:
    """Return PostgreSQL's words, without the value, if it refuses a row.

    That is: for a constraint, a trigger, or a value that a column does not take.
    """
    code = error.sqlstate if isinstance(error, psycopg.Error) else None
    if code is None or not code.startswith(_ROW_FAULTS):
        return None
    assert isinstance(error, psycopg.Error)
    words = _VALUE.split(redact(_words(error)))[0]
    column = re.search(r", column (.+?)(?:: |$)", (error.diag.context or "").partition("\n")[0])
    return f"{words} (column {column[1]})" if column else words


def _words(error: object) -> str:
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return primary or " ".join(str(error).split())


def _meaning(error: object, words: str) -> _Meaning | None:
    code = error.sqlstate if isinstance(error, psycopg.Error) else None
    if code is not None:
        prefixes = (code, code[:3], code[:2])
        return next((_MEANINGS[each] for each in prefixes if each in _MEANINGS), None)
    if isinstance(error, psycopg.OperationalError):
        told = (meaning for words_of, meaning in _TOLD if re.search(words_of, words))
        return next(told, _UNREACHED)
    return None
