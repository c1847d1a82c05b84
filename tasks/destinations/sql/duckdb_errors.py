"""What DuckDB's errors mean to the user, by their class and words."""

from __future__ import annotations

import re
from socket import gethostname
from typing import Final

import duckdb
from sqlalchemy.exc import DBAPIError

from astrio.blocks.errors import AstrioError, DestinationBusyError, DestinationError
from astrio.blocks.redaction import redact
from astrio.tasks.destinations.sql.locked import LockedError
from astrio.tasks.destinations.sql.process import began, command

_Meaning = tuple[type[AstrioError], str, str]

_HELD: Final = re.compile(r"lock is held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")
_MEANINGS: Final[tuple[tuple[str, _Meaning], ...]] = (
    (
        r"Could not set lock|different configuration",
        (
            LockedError,
            "is in use by another process",
            "DuckDB lets one process at a time have the file: let that one end, or wait with "
            "--wait.",
        ),
    ),
    (
        r"No space left|disk is full|Disk quota",
        (
            DestinationBusyError,
            "cannot grow: the disk is full",
            "Free some space, then run again: nothing that was committed is lost.",
        ),
    ),
    (
        r"invalidated",
        (
            DestinationBusyError,
            "has been closed after an error",
            "Run again: nothing that was committed is lost.",
        ),
    ),
    (
        r"not a valid DuckDB",
        (DestinationError, "is not a DuckDB database", "Name another file in push.to.url."),
    ),
    (
        r"read-only",
        (
            DestinationError,
            "cannot be written",
            "Give this user the right to write the file and its folder, and let the URL not say "
            "access_mode=read_only.",
        ),
    ),
    (
        r"Permission denied|Cannot open file",
        (
            DestinationError,
            "cannot be opened",
            "Check the path and the rights of the file and its folder.",
        ),
    ),
    (
        r"options were not recognized|unrecognized configuration",
        (
            DestinationError,
            "does not know a setting",
            "Let the URL name DuckDB's own settings only, such as ?threads=2.",
        ),
    ),
    (
        r"tables with (FOR EACH ROW )?triggers",
        (
            DestinationError,
            "merges no rows into a table with triggers",
            "Drop the triggers, or let push.mode be append.",
        ),
    ),
    (
        r"newer version|storage version",
        (DestinationError, "was written by another DuckDB", "Install a newer duckdb."),
    ),
    (
        r"[Cc]orrupt|[Cc]hecksum",
        (DestinationError, "is damaged", "Restore it from a backup."),
    ),
    (
        r"entries that depend on it|is main key table",
        (
            DestinationError,
            "cannot change the table",
            "Drop what depends on it (foreign keys of other tables) and create that again after "
            "the run, or convert the values in `map` to what the column holds.",
        ),
    ),
)
_ROW_FAULTS: Final = (
    duckdb.ConstraintException,
    duckdb.ConversionException,
    duckdb.OutOfRangeException,
)
# Each shows a value of the row.
_VALUES: Final = (
    (re.compile(r'"([^":]+): .*"', re.DOTALL), r'"\1"'),
    (re.compile(r': (duplicate key )?".*"', re.DOTALL), ""),
    (re.compile(r"string '.*' (to|in)\b", re.DOTALL), r"a text \1"),
    (re.compile(r"cast value .* to\b", re.DOTALL), "cast the value to"),
    (re.compile(r"with value .* can't", re.DOTALL), "with this value can't"),
    (re.compile(r'(value|string) ".*" (to|in)\b', re.DOTALL), r"the \1 \2"),
    (re.compile(r"\s+Input:.*", re.DOTALL), ""),
)
_OWN_WORDS: Final = ("CHECK constraint", "NOT NULL constraint")


def explain(error: Exception, reference: str) -> AstrioError:
    """Return the astrio error for an error of the driver or of SQLAlchemy."""
    original: object = error.orig if isinstance(error, DBAPIError) else error
    words = redact(_words(original))
    for told, (kind, meaning, advice) in _MEANINGS:
        if re.search(told, words):
            who = _HELD.search(words)
            shown = _holder(who) if who else words
            return kind(f"The database {reference} {meaning} ({shown}).", advice=advice)
    return DestinationError(f"The database {reference} refuses a statement: {_hidden(words)}.")


def refusal(error: Exception) -> str | None:
    """Return DuckDB's words, without the value, if it refuses a row.

    That is: for a constraint, or a value that a column does not take.
    """
    return _hidden(redact(_words(error))) if isinstance(error, _ROW_FAULTS) else None


def _words(error: object) -> str:
    message = re.split(r"\n\s*LINE \d+:", str(error), maxsplit=1)[0]
    return " ".join(message.split()).partition(" If this is an unexpected constraint")[0]


def _hidden(words: str) -> str:
    kind, colon, rest = words.partition(" Error: ")
    words = rest if colon and " " not in kind.strip() else words
    if not words.startswith(_OWN_WORDS):
        for pattern, plain in _VALUES:
            words = pattern.sub(plain, words)
    return words.rstrip(".")


def _holder(found: re.Match[str]) -> str:
    """Return who has the file, and since when that process runs."""
    pid = int(found["pid"])
    program = command(pid) or found["program"].rpartition("/")[2]
    since = began(pid)
    return f"process {pid} on {gethostname()}, {program}" + (f", since {since}" if since else "")
