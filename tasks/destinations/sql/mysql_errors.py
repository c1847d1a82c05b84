"""What the errors of MySQL and MariaDB mean to the user, by their numbers."""

from __future__ import annotations

import re
from typing import Final

import pymysql
from sqlalchemy.exc import DBAPIError

from astrio.blocks.errors import AstrioError, DestinationBusyError, DestinationError
from astrio.blocks.redaction import redact
from astrio.tasks.destinations.sql.locked import DeadlockError, LockedError

_Meaning = tuple[type[AstrioError], str, str]

_LATER: Final = "Run again when it is back: nothing that was committed is lost."
_UNREACHED: Final = (
    DestinationBusyError,
    "cannot be reached",
    "Check the address, and that the server runs; nothing that was committed is lost.",
)
_BROKEN: Final = (DestinationBusyError, "has broken the connection off", _LATER)
_DOWN: Final = (DestinationBusyError, "is being shut down or started", _LATER)
_NO_ROOM: Final = (DestinationBusyError, "has no more resources for this", _LATER)
_CANCELLED: Final = (
    DestinationBusyError,
    "has cancelled a statement",
    "Raise max_statement_time (MariaDB) or max_execution_time (MySQL).",
)
_LOCKED: Final = (
    LockedError,
    "is locked by another session",
    "Let that session end its transaction, then run again.",
)
_DEADLOCK: Final = (
    DeadlockError,
    "has ended this transaction for the sake of another one",
    "Run again: nothing that was committed is lost.",
)
_LETS_NOT_IN: Final = (
    DestinationError,
    "does not let this user in",
    "Check the user, the password, and from which hosts the user may come.",
)
_MISSING: Final = (
    DestinationError,
    "does not exist",
    "Create it (CREATE DATABASE), or correct the name in the URL.",
)
_READ_ONLY: Final = (
    DestinationError,
    "takes no writes",
    "Name the primary server: this one is a replica, or set to read only.",
)
_FULL: Final = (
    DestinationBusyError,
    "cannot grow: the disk is full",
    "Free some space, then run again: nothing that was committed is lost.",
)
_NOT_PERMITTED: Final = (
    DestinationError,
    "does not permit a statement",
    "GRANT this user SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES and "
    "CREATE TEMPORARY TABLES on the database.",
)
_TOO_WIDE: Final = (
    DestinationError,
    "cannot hold so many or so long columns",
    "Leave fields out in `map`, or choose a shorter push.key.",
)
_CHANGED: Final = (
    DestinationError,
    "cannot change the table",
    "Convert the values in `map` to what the column holds, or change the column by hand.",
)
_TWICE: Final = (
    DestinationError,
    "cannot be asked that in a dry run",
    "MySQL, unlike MariaDB, lets no statement name a temporary table twice, as `mode: history` "
    "does: try it with a copy of the table.",
)
_GROUPS: Final[tuple[tuple[_Meaning, tuple[int, ...]], ...]] = (
    (_UNREACHED, (2001, 2002, 2003, 2005)),
    (_BROKEN, (2006, 2013, 2014, 2055, 1158, 1159, 1160, 1161, 1184, 1927, 4031)),
    (_DOWN, (1053, 1077, 1079)),
    (_NO_ROOM, (1040, 1041, 1135, 1203, 1226, 1037, 1038)),
    (_CANCELLED, (1317, 1969, 3024)),
    (_LOCKED, (1205, 1099, 1100, 3572)),
    (_DEADLOCK, (1213, 1020)),
    (_LETS_NOT_IN, (1044, 1045, 1129, 1130, 1251, 1698, 1862, 1820, 2054, 2059, 4151, 3118)),
    (_MISSING, (1049,)),
    (_READ_ONLY, (1290, 1792, 1836, 3100)),
    (_TWICE, (1137,)),
    (_FULL, (3, 1021, 1114)),
    (_NOT_PERMITTED, (1142, 1143, 1227, 1370, 1410)),
    (_TOO_WIDE, (1071, 1117, 1118)),
    (_CHANGED, (1217, 1832, 1833, 1834, 1846, 3106, 3108, 3837, 3959)),
)
_MEANINGS: Final = {number: meaning for meaning, numbers in _GROUPS for number in numbers}
_DISK: Final = re.compile(r"[Ee]rror(?: code)?:? 28\b|No space left")
_ROW_FAULTS: Final = frozenset(
    {
        *(1048, 1062, 1586, 1364, 1264, 1265, 1292, 1366, 1367, 1406, 1411, 1525, 1644, 1690),
        *(1216, 1452, 1451, 3819, 4025, 3140, 3141, 3156, 3903, 1153, 1300, 3988, 1416, 1441),
    }
)
# The value is left out: Duplicate entry 'x' for key 'y'; Incorrect integer value: 'x' for …
_VALUE: Final = re.compile(r"(Duplicate entry|value):? '.*?'(?= for | in |$)", re.DOTALL)
_PLACE: Final = re.compile(r" at row \d+$")
_TABLE: Final = re.compile(r"(?:[`\"][^`\"]*[`\"]\.){1,2}[`\"]([^`\"]*)[`\"](?! *,)")


def explain(error: Exception, reference: str) -> AstrioError:
    """Return the astrio error for an error of the driver or of SQLAlchemy."""
    original: object = error.orig if isinstance(error, DBAPIError) else error
    words = redact(_words(original))
    found = _FULL if _DISK.search(words) else _MEANINGS.get(_number(original))
    if found is None and isinstance(original, pymysql.InterfaceError):
        found = _BROKEN
    if found is None:
        return DestinationError(f"The database {reference} refuses a statement: {words}.")
    kind, meaning, advice = found
    return kind(f"The database {reference} {meaning} ({words}).", advice=advice)


def refusal(error: Exception) -> str | None:
    """Return the database's words, without the value, if it refuses a row.

    That is: for a constraint, a trigger, or a value that a column does not take.
    """
    if isinstance(error, pymysql.ProgrammingError) and "can not be used with MySQL" in str(error):
        return "a float beyond all numbers cannot be stored"
    if _number(error) not in _ROW_FAULTS:
        return None
    words = _PLACE.sub("", redact(_words(error)))
    return _TABLE.sub(r"'\1'", _VALUE.sub(r"\1", words))


def _number(error: object) -> int:
    arguments = error.args if isinstance(error, pymysql.MySQLError) else ()
    return arguments[0] if arguments and isinstance(arguments[0], int) else 0


def _words(error: object) -> str:
    arguments = error.args if isinstance(error, pymysql.MySQLError) else ()
    words = str(arguments[1]) if len(arguments) > 1 else str(error)
    return " ".join(words.split()).rstrip(".")
