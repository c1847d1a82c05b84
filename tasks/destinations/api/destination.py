"""Pushing to an API: requests in the place of rows; the stream's state lives in the ledger.

No transaction is open while a request is on its way: each has its intent and its outcome in the
journal, and the chunk commits once all of its records have a fate.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.destinations.api.deliverer import Deliverer
from astrio.tasks.destinations.api.target import RequestTarget
from astrio.tasks.destinations.base import Chunk, RunIdentity, StreamState, Written
from astrio.tasks.destinations.part import Part
from astrio.tasks.destinations.settings import PushSettings, QuarantineSettings
from astrio.tasks.destinations.sql.database import transaction
from astrio.tasks.destinations.sql.destination import SqlDestination
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.report import RunReport


class ApiDestination(SqlDestination):
    """One stream's records on their way to an API."""

    def __init__(
        self,
        push: PushSettings,
        integration: str,
        keeping: QuarantineSettings | None = None,
        **replaced: Any,
    ) -> None:
        """Take the settings; nothing is connected, and no secret read, before `begin_slice`.

        Raises:
            ConfigurationError: the ledger's URL is none.
        """
        super().__init__(push, integration, keeping, **replaced)
        assert isinstance(push.to, RequestTarget)
        self._deliverer = Deliverer(push, push.to, self._stream.id)
        self._writer: Any = self._deliverer
        self._whole = False

    def open(self, run: RunIdentity, *, wait: bool = False) -> StreamState:
        """Open the stream's state in the ledger."""
        with Ledger().writing():
            pass  # its tables are made
        return super().open(run, wait=wait)

    def only(self, part: Part) -> None:
        """Let this opening be one of that part; what it appends is noted apart from others'.

        Raises:
            ConfigurationError: only some columns are to be written.
        """
        if part.columns:
            raise ConfigurationError(
                "A request carries whole records: there are no columns to fill in afterwards.",
                advice="Leave the columns out; with `mode: upsert`, what has changed is sent.",
            )
        super().only(part)
        self._deliverer.only(part)

    def begin_slice(self, *, atomic: bool, whole: bool = False) -> None:  # noqa: ARG002 (what is sent cannot be taken back)
        """Start a slice; its chunks are durable one by one."""
        self._deliverer.start(self._run, goes_on=self._resumed)
        super().begin_slice(atomic=False, whole=whole)

    def commit(self, chunk: Chunk) -> Written:
        """Send a chunk's records, then write what became of them."""
        self._deliverer.deliver(chunk)
        return super().commit(chunk)

    def interrupt(self) -> None:
        """Send nothing more: what is on its way is waited for, the rest is for the next run."""
        self._deliverer.interrupt()

    def abandon(self, report: RunReport | None = None, *, clear_resume: bool = False) -> None:
        """Keep the failed run's report."""
        if report is not None:
            self._deliverer.count(report)
        super().abandon(report, clear_resume=clear_resume)

    def finish(self, report: RunReport, **how: Any) -> None:
        """End the slice; tell of requests whose outcome nobody has asked for since."""
        self._deliverer.count(report)
        self._whole = bool(how.get("clear_resume"))
        lost = self._deliverer.forgotten()
        if lost:
            report.warnings.append(
                f"An interrupted run has left {lost} request{'s' * (lost != 1)} whose outcome is "
                "unknown, and no run has met the records since."
            )
        super().finish(report, **how)

    @property
    def renews_apart(self) -> bool:
        """Whether `renew` may be called beside another call: requests may take long."""
        return True

    def renew(self) -> None:
        """Extend the lease, on a connection of its own."""
        with (
            self._database.explained(),
            self._database.connect() as other,
            transaction(other) as connection,
        ):
            self._lease.extend(connection)

    def close(self) -> None:
        """Close the client, release the lease and disconnect; never raises."""
        with suppress(Exception):
            self._deliverer.close()
        super().close()

    @contextmanager
    def _ending(self) -> Iterator[Connection]:
        with super()._ending() as connection:
            yield connection
            self._deliverer.end(connection, whole=self._whole)
