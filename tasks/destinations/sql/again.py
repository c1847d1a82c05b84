"""Doing a transaction again: after a wait for others, or after a deadlock with one of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from random import random
from typing import Final, TypeVar

from astrio.blocks.errors import DestinationBusyError, LeaseHeldError
from astrio.tasks.destinations.part import PartTakenError
from astrio.tasks.destinations.sql.database import Database, transaction
from astrio.tasks.destinations.sql.lease import Lease
from astrio.tasks.destinations.sql.locked import DeadlockError, LockedError

T = TypeVar("T")
POLL_SECONDS: Final = 1.0
MOST_DEADLOCKS: Final = 5


def stand_in_line(database: Database, lease: Lease) -> None:
    """Let no part of the lease's stream begin while its run waits for those that have begun."""
    with (
        suppress(DestinationBusyError),
        database.explained(),
        database.connect() as other,
        transaction(other) as connection,
    ):
        lease.wish(connection, database.dialect, timedelta(seconds=5 * POLL_SECONDS))


def once_free(
    work: Callable[[], T],
    in_line: Callable[[], object],
    pause: Callable[[float], None],
    *,
    yields: bool = False,
) -> T:
    """Do the work as soon as no other run is in its way.

    Args:
        work: raises LeaseHeldError or LockedError while somebody is.
        in_line: called after each LeaseHeldError: tells others that this run waits.
        pause: waits for so many seconds.
        yields: another run that has the very same part is not waited for.

    Raises:
        PartTakenError: there is such a run.
    """
    while True:
        try:
            return work()
        except LeaseHeldError as held:
            if yields and isinstance(held, PartTakenError):
                raise
            in_line()
        except LockedError:
            pass
        pause(POLL_SECONDS)


def undeadlocked(work: Callable[[], T], pause: Callable[[float], None]) -> T:
    """Do the work, and do it again if the database ended it in favour of a transaction beside it.

    Raises:
        DeadlockError: it happened too often.
    """
    for _ in range(MOST_DEADLOCKS):
        try:
            return work()
        except DeadlockError:
            pause(random() * POLL_SECONDS)  # noqa: S311 (no secret)
    return work()
