"""Pushing to a function of the user's own: at least once, each chunk under a name that stays.

No transaction of the ledger is open while the function runs: a short one before it tells what it
has taken already, a short one after it notes that it has. What it has taken of an unfinished run is
not given to it again, unless it refused some of a portion: then that portion is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from astrio.tasks.batch import Batch, Problem
from astrio.tasks.destinations.base import Chunk, RunIdentity, StreamState, Written
from astrio.tasks.destinations.handing.portions import Cut, Portion
from astrio.tasks.destinations.handing.rehearsing import Rehearsal
from astrio.tasks.destinations.settings import PushSettings, QuarantineSettings
from astrio.tasks.destinations.sql import effects
from astrio.tasks.destinations.sql.database import transaction
from astrio.tasks.destinations.sql.destination import SqlDestination
from astrio.tasks.destinations.sql.quarantine import key_text
from astrio.tasks.destinations.sql.rows import RULE, Rows, without_key
from astrio.tasks.destinations.sql.stream import Stamp
from astrio.tasks.destinations.targets.python import PythonTarget
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.python.copying import copied
from astrio.tasks.python.pushing import (
    UNCHANGED,
    PushContext,
    Pushing,
    Rejected,
    RejectRecordError,
)
from astrio.tasks.python.references import push_function, resolve
from astrio.tasks.report import TableChanges
from astrio.tasks.webhooks.outbox.trigger import nested


@dataclass(slots=True)
class Given:
    """What became of the rows that were given, and the portions that were taken whole."""

    written: Written = field(default_factory=Written)
    taken: list[Rows] = field(default_factory=list)
    whole: list[str] = field(default_factory=list)

    def add(self, other: Given) -> None:
        """Add what became of another portion."""
        self.written.written += other.written.written
        self.written.unchanged += other.written.unchanged
        self.written.rejected += other.written.rejected
        self.taken += other.taken
        self.whole += other.whole


class PythonDestination(SqlDestination):
    """One stream's records on their way to a function."""

    def __init__(
        self,
        push: PushSettings,
        integration: str,
        keeping: QuarantineSettings | None = None,
        **replaced: Any,
    ) -> None:
        """Import the function; nothing is connected before `open`.

        Raises:
            PythonError: there is no such function, or it does not take records.
        """
        super().__init__(push, integration, keeping, **replaced)
        self._giver = Giver(push, integration, self._stream.id)
        self._given = _AsGiven()
        self._writer: Any = self._given

    @property
    def renews_apart(self) -> bool:
        """No transaction is open while the function runs, so the lease can be renewed."""
        return True

    def renew(self) -> None:
        """Extend the lease, on a connection of its own."""
        with (
            self._database.explained(),
            self._database.connect() as other,
            transaction(other) as connection,
        ):
            self._lease.extend(connection)

    def open(self, run: RunIdentity, *, wait: bool = False) -> StreamState:
        """Make the ledger if it is missing, then open the stream's state in it."""
        with Ledger().writing():
            pass
        return super().open(run, wait=wait)

    def commit(self, chunk: Chunk) -> Written:
        """Give the chunk's rows to the function, then write down what became of them."""
        given = self._give(chunk.batches)
        self._given.given = given
        return super().commit(replace(chunk, effects=[*chunk.effects, *given.whole]))

    def close(self) -> None:
        """Release the lease and disconnect; never raises."""
        self._giver.close()
        super().close()

    def _take(self, connection: Connection) -> StreamState:
        state = super()._take(connection)
        self._giver.ended = state.ended
        return state

    def _give(self, batches: Sequence[Batch]) -> Given:
        portions = list(self._giver.portions(batches))
        with self._database.explained(), self._transaction() as connection:
            effects.forget(connection, self._stream, self._clock())
            taken = effects.load(connection, self._stream, [each.id for each in portions])
        given = Given()
        for number, portion in enumerate(portions, 1):
            if portion.id in taken:
                given.taken.append(portion.rows)
                given.written.unchanged += len(portion.rows.rows)
                continue
            part = self._giver.give(portion, self._run.run_id, self._run.started)
            given.add(part)
            if part.whole and number < len(portions):
                self._note(part.whole)
        return given

    def _note(self, taken: list[str]) -> None:
        with self._database.explained(), self._transaction() as connection:
            effects.save(connection, self._dialect, self._stamp, taken)
            self._lease.extend(connection)


class Giver:
    """Gives portions to the function, without those of their records that cannot be taken.

    Attributes:
        ended: the latest run that read the source to its end, once the stream is open.
    """

    def __init__(
        self, push: PushSettings, integration: str, stream: str, *, dry_run: bool = False
    ) -> None:
        """Import the function; raises as `PythonDestination`."""
        assert isinstance(push.to, PythonTarget)
        target = resolve(push.to.python)
        self._push = Pushing(target, push_function(target), self._wait_for)
        self._size = push.to.size
        self._key = push.key
        self._integration = integration
        self._stream = stream
        self._dry_run = dry_run
        self._runner: asyncio.Runner | None = None
        # What it logs reaches the run's log, though it is called in another thread.
        self._within = copy_context()
        self.ended: str | None = None

    def portions(self, batches: Sequence[Batch]) -> list[Portion]:
        """Return the portions of these pages."""
        return list(Cut(self._stream, self.ended, self._key, self._size)(batches))

    def give(self, portion: Portion, run: str, now: Any) -> Given:
        """Give one portion; raises as `astrio.tasks.python.pushing.Pushing`."""
        given = Given()
        rows = portion.rows
        problems = without_key(rows, self._key)
        given.written.rejected += [rows.reject(at, each) for at, each in problems.items()]
        rows = rows.without(problems)
        context = PushContext(
            portion.id, run, self._integration, self._key, dry_run=self._dry_run, now=now
        )
        while rows.rows:
            try:
                self._accepted(rows, context, given)
                break
            except RejectRecordError as error:
                problem = Problem(error.field, RULE, error.message)
                given.written.rejected.append(rows.reject(error.place, problem))
                rows = rows.without([error.place])
                # Other records under the same name would be taken for those before.
                left = len(rows.rows)
                context = replace(context, chunk=f"{portion.id}-{left}")
        if not given.written.rejected:
            given.whole.append(portion.id)
        return given

    def _accepted(self, rows: Rows, context: PushContext, given: Given) -> None:
        records = [copied(nested(rows.fields, row)) for row in rows.rows]
        fates = self._within.run(self._push, records, context)
        refused = {}
        for at, fate in enumerate(fates):
            if isinstance(fate, Rejected):
                refused[at] = rows.reject(at, Problem(fate.field, RULE, fate.reason))
            elif fate == UNCHANGED:
                given.written.unchanged += 1
            else:
                given.written.written += 1
        given.written.rejected += refused.values()
        given.taken.append(rows.without(refused))

    def _wait_for(self, awaitable: Awaitable[Any]) -> Any:
        """Wait in one event loop for all calls, so that the function may keep a client open."""
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(_awaited(awaitable))

    def close(self) -> None:
        """Close the event loop, if there is one."""
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.close()


def rehearsal(push: PushSettings, integration: str) -> Rehearsal:
    """Return the destination of a dry run; raises as `PythonDestination`."""
    assert isinstance(push.to, PythonTarget)
    rehearsed = Rehearsal(push, integration)
    giver = Giver(push, integration, rehearsed.stream.id, dry_run=True)
    rehearsed.closing = giver.close
    if push.to.rehearse:

        def deliver(batches: Sequence[Batch], run: RunIdentity) -> Written:
            given = Given()
            for portion in giver.portions(batches):
                given.add(giver.give(portion, run.run_id, run.started))
            return given.written

        rehearsed.deliver = deliver
    return rehearsed


class _AsGiven:
    """Tells the destination what the function has made of a chunk, in the place of a writer."""

    given = Given()
    fields: Sequence[str] = ()  # there is no table whose columns they would be

    def begin(self, connection: Connection, stamp: Stamp) -> None:
        """Begin a slice: there is nothing to prepare."""

    def write(
        self,
        connection: Connection,  # noqa: ARG002 (as every writer)
        batches: Sequence[Batch],  # noqa: ARG002
        quarantined: set[str],
        changes: TableChanges | None = None,  # noqa: ARG002
    ) -> tuple[Written, set[str]]:
        """Return what became of the rows, and which of the quarantined keys are taken now."""
        mended = set[str]()
        for rows in self.given.taken:
            if quarantined and rows.key:
                mended |= quarantined.intersection(map(key_text, rows.keys()))
        return self.given.written, mended


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
