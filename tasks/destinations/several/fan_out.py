"""Several destinations as one: a chunk is committed to one after the other, in a fixed order.

A run that ends between two of these commits leaves some destinations ahead of others. The next one
reads from where the least advanced needs it to; where rows are only added, one that is ahead is
not given what it has. If one of them is down the run fails, and the next one brings it level.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from astrio.blocks.errors import AstrioError, ConfigurationError
from astrio.tasks.destinations.base import Chunk, RunIdentity, StreamState, Written
from astrio.tasks.destinations.several.gate import Gating
from astrio.tasks.destinations.several.level import level
from astrio.tasks.destinations.several.member import Member
from astrio.tasks.destinations.several.merging import merged
from astrio.tasks.incremental import higher
from astrio.tasks.report import RunReport


class FanOut:
    """Several destinations of one source.

    Attributes:
        gating: makes the gates of those to which rows are only added; None: by pages alone.
    """

    gating: Gating | None = None

    def __init__(self, members: Sequence[Member], *, anew: bool = False) -> None:
        """Take the destinations, in the order of the file.

        Args:
            members: at least two, no two of the same place.
            anew: everything is read again on purpose, and given to all of them.
        """
        self._told = list(members)
        # The same order in every run and process, so that no two wait for each other's leases.
        self._members = sorted(members, key=lambda member: member.name)
        self._anew = anew
        self._run: str | None = None
        self._from: dict[str, Any] = {}
        self._atomic = False

    @property
    def renews_apart(self) -> bool:
        """Whether all of them can be renewed beside another call."""
        return all(member.destination.renews_apart for member in self._members)

    def open(self, run: RunIdentity, *, wait: bool = False) -> StreamState:
        """Take every lease, and return the state of the least advanced.

        Raises:
            AstrioError: one of them cannot be opened; or rows would be appended twice.
        """
        for member in self._members:
            member.open(run, wait=wait)
        found = level([member.standing for member in self._members])
        self._from = found.state.resume or {}
        if not self._from and not self._anew:
            self._run = found.run
        return found.state

    def adopt(self, run_id: str, started: datetime | None = None) -> None:
        """Go on under the id, and with the clock, of the unfinished run that is being resumed."""
        self._run = run_id
        for member in self._members:
            member.adopt(run_id, started, self._from)

    def partitions(self, keys: Sequence[str]) -> dict[str, Any]:
        """Return the lowest watermark of each part of the source that has one everywhere."""
        found = [member.destination.partitions(keys) for member in self._members]
        lowest: dict[str, Any] = {}
        for key in set(found[0]).intersection(*found[1:]):
            marks = [marks[key] for marks in found]
            lowest[key] = marks[0]
            for mark in marks[1:]:
                lowest[key] = lowest[key] if higher(mark, lowest[key]) == mark else mark
        return lowest

    def effects(self, events: Sequence[str]) -> set[str]:
        """Return those of the events that have had their effect everywhere."""
        found = [member.destination.effects(events) for member in self._members]
        for member, had in zip(self._members, found, strict=True):
            member.had |= had
        return found[0].intersection(*found[1:])

    def shares(self, events: Sequence[str]) -> dict[str, tuple[bool, ...]]:
        """Return in which destinations each of these events has had its effect, by `effects`."""
        return {event: tuple(event in member.had for member in self._members) for event in events}

    def begin_slice(self, *, atomic: bool, whole: bool = False) -> None:
        """Start a slice in each; `atomic` is for those to which rows are only added.

        Raises:
            ConfigurationError: one of them would keep another one waiting for its own end.
        """
        self._atomic = atomic
        for member in self._members:
            if member.in_one(atomic=atomic) and member.shared:
                raise ConfigurationError(
                    f"{member.name} is written in one transaction, since the source's position "
                    "does not survive a crash or the run is judged at its end, and another "
                    "destination is in the same database, which takes one writer at a time.",
                    advice="Put one of them into a database of its own, or use `mode: upsert`.",
                )
            done = self._run is not None and member.standing.ended(self._run)
            member.out = done and member.appends and self.gating is None
            member.guard(self.gating, self._run, anew=self._anew)
        for member in self._taking_part():
            member.begin(atomic=atomic, whole=whole)

    def commit(self, chunk: Chunk) -> Written:
        """Write a chunk to one after the other; what failed in between is made up for later."""
        parts: list[Written] = []
        since = self._taking_part()[-1].pages if self._taking_part() else 0
        for member in self._members:
            parts.append(member.commit(chunk, parts, since))
        return merged(chunk.batches, parts)

    def finish(  # noqa: PLR0913 (as every destination)
        self,
        report: RunReport,
        *,
        watermark: Any = None,
        ties: Mapping[str, Any] | None = None,
        clear_resume: bool,
        reread: bool = False,
        profile: dict[str, Any] | None = None,
    ) -> None:
        """End the slice in one after the other."""
        for member in self._members:
            member.account.close()
        with self._described(report):
            for member in self._members:
                member.finish(
                    report,
                    watermark=watermark,
                    ties=ties,
                    reread=reread,
                    clear_resume=clear_resume,
                    profile=profile,
                )

    def abandon(self, report: RunReport | None = None, *, clear_resume: bool = False) -> None:
        """Roll back what is not committed, in each of them, even if one cannot be reached."""
        errors: list[AstrioError] = []
        with self._described(report):
            for member in self._members:
                if report is not None and member.is_whole(atomic=self._atomic):
                    member.account.roll_back()
                try:
                    member.abandon(report, clear_resume=clear_resume)
                except AstrioError as error:
                    errors.append(error)
        if errors:
            raise errors[0]

    def renew(self) -> None:
        """Extend every lease."""
        for member in self._members:
            member.destination.renew()

    def close(self) -> None:
        """Release every lease and disconnect; never raises."""
        for member in reversed(self._members):
            member.destination.close()

    def _taking_part(self) -> list[Member]:
        return [member for member in self._members if not member.out]

    @contextmanager
    def _described(self, report: RunReport | None) -> Iterator[None]:
        """Put each destination's part into the report: before it is stored, and as it ends."""
        if report is None:
            yield
            return
        report.destinations = [member.described() for member in self._told]
        try:
            yield
        finally:
            report.destinations = [member.described() for member in self._told]
            deleted = [each.records.deleted for each in report.destinations]
            report.records.deleted = sum(deleted)
