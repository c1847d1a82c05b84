"""Whether a record is sent, by what the journal holds of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.destinations.api.jobs import Job
from astrio.tasks.destinations.api.settings import Delivery, Sending
from astrio.tasks.incremental import higher

Step = Literal["send", "again", "regroup", "ask", "known", "stale", "unknown"]


@dataclass(frozen=True)
class Decider:
    """Decides on records of one stream.

    Attributes:
        delivery: what is sent.
        versioned: a record of a lower version never follows one of a higher.
        replay: whoever replays what is unknown wants it sent again.
    """

    delivery: Delivery
    versioned: bool
    replay: bool

    def step(self, job: Job) -> Step:
        """Return what is to be done for a record.

        Returns:
            send; send again under the same idempotency key, alone or within the same batch; ask
            the API whether it has it; nothing, as it is known, or older than what is; or unknown.
        """
        held = job.held
        if self.versioned and _is_older(job.version, held.latest_version):
            return "stale"
        if held.pending is None:
            return "known" if held.content == job.content else "send"
        if held.pending != job.content and not self._may_be_made_twice(job):
            return "send"
        if self.delivery.outcomes.lookup is not None:
            return "ask"
        if held.pending != job.content:
            return "send" if self.replay else "unknown"
        return self._again(job)

    def sending(self, job: Job) -> Sending:
        """Return the kind of request for a record: new, or sent before."""
        update = self.delivery.update
        return update if update is not None and job.held.content else self.delivery.create

    def _again(self, job: Job) -> Step:
        sending = self.sending(job)
        if self.replay or sending.harmless:
            return "again"
        return "regroup" if sending.keyed else "unknown"

    def _may_be_made_twice(self, job: Job) -> bool:
        """Whether it may be there already, under an id that is not known."""
        made = self.delivery.update is None or job.held.content is not None
        return not made and not self.delivery.create.idempotent


def _is_older(version: str | None, known: str | None) -> bool:
    if known is None or version == known:
        return False
    if version is None:
        return True
    mine, other = msgspec.json.decode(version), msgspec.json.decode(known)
    try:
        return bool(higher(mine, other) == other != mine)
    except ApiAnswerError:
        return False  # they are of different kinds: nobody can tell
