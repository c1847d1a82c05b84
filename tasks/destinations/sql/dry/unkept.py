"""The rejects of a dry run: known to it, and put nowhere."""

from __future__ import annotations

from sqlalchemy import Connection

from astrio.tasks.batch import Reject
from astrio.tasks.destinations.sql.quarantine import key_text
from astrio.tasks.destinations.sql.quarantining import Quarantining
from astrio.tasks.destinations.sql.stream import Stamp


class Unkept(Quarantining):
    """Takes no reject in: the numbers that a database gives to rows are not rolled back."""

    def _add(self, connection: Connection, stamp: Stamp, rejects: list[Reject]) -> set[str]:  # noqa: ARG002 (as its base)
        keys = (reject.key for reject in rejects)
        return {key_text(key) for key in keys if key is not None and None not in key}
