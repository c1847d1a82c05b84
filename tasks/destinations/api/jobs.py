"""The records of a chunk, each with what tells it from others and from what was sent before."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from astrio.tasks.batch import Batch, Problem, Reject
from astrio.tasks.columns import key_places
from astrio.tasks.destinations.api.held import APART, Held
from astrio.tasks.destinations.sql.quarantine import key_text
from astrio.tasks.ledger.sealing import keys_in_effect
from astrio.tasks.webhooks.outbox.trigger import nested

RULE: Final = "destination"
UNKNOWN: Final = "outcome unknown"
Fate = Literal["written", "unchanged", "rejected", "failed"]
_encoder = msgspec.json.Encoder(order="sorted")


@dataclass(slots=True, eq=False)
class Job:
    """One record on its way.

    Attributes:
        source: the source record, for the quarantine.
        key: its key's values, None if it has none.
        record: what is sent of it, before any template.
        lane: what must keep its order: records of one key.
        identity: tells it from other records.
        content: hash of what is sent of it.
        position: where a run meets it: the page, and which of the page's equal records it is.
        version: as JSON.
        held: its row in the journal.
        new: the API had no earlier content of it, as far as is known.
        fate: what became of it, None while that is not known.
        problems: why it was not written.
    """

    source: Any
    key: tuple[Any, ...] | None
    record: dict[str, Any]
    lane: str = ""
    identity: str = ""
    content: str = ""
    position: str = ""
    version: str | None = None
    held: Held = field(default_factory=lambda: Held.new(""))
    new: bool = False
    fate: Fate | None = None
    problems: list[Problem] = field(default_factory=list)

    def end(self, fate: Fate, reason: str = "", rule: str = RULE) -> None:
        """Settle what became of it."""
        self.fate = fate
        if reason:
            self.problems.append(Problem(None, rule, reason))

    @property
    def there(self) -> bool:
        """Whether the API has the record as it is."""
        return self.fate in ("written", "unchanged")

    @property
    def reject(self) -> Reject:
        """The record as the quarantine takes it."""
        return Reject(self.source, self.problems, self.key)


class Identities:
    """Names records of one stream by hashes that tell nobody without the ledger's key anything."""

    def __init__(self, stream: str, template: str, *, keyed: bool) -> None:
        """Take the stream, what stands for the request's template, and whether the key tells."""
        self._keys = keys_in_effect()
        self._stream = stream
        self._template = template
        self._keyed = keyed

    def name(self, job: Job, lane: str) -> None:
        """Give a job its identity and hash.

        Raises:
            ValueError, TypeError, RecursionError: the record is no JSON.
        """
        text = _encoder.encode(job.record).decode()
        if self._keyed:
            job.identity = self._digest("key", lane)
            job.content = self._digest("content", self._template, text)
        else:
            job.identity = job.content = self._digest("content", text)

    def token(self, *parts: str) -> str:
        """Return an idempotency key: 36 characters of 0-9, a-f and -, the same for these parts."""
        return str(UUID(self._digest("token", *parts)[:32]))

    def _digest(self, *parts: str) -> str:
        return self._keys.digest("push", "\0".join((self._stream, *parts)))


def jobs_of(  # noqa: PLR0913 (what tells records apart is given by name)
    batches: Sequence[Batch],
    key: Sequence[str],
    version: str | None,
    identities: Identities,
    *,
    keyed: bool,
    mapped: bool,
) -> list[Job]:
    """Return the jobs of a chunk in order; some are settled already: they cannot be sent.

    Args:
        batches: the chunk's.
        key: `push.key`.
        version: `push.version`.
        identities: names the records.
        keyed: a record without a key is rejected.
        mapped: nulls were made by a mapping, and are sent.
    """
    jobs: list[Job] = []
    for batch in batches:
        seen: Counter[str] = Counter()
        for job in _of_batch(batch, key, version, mapped=mapped):
            jobs.append(job)
            if keyed and job.key is None:
                job.end("rejected", "the key is empty", "key")
                continue
            job.lane = f"key {key_text(job.key)}" if job.key else f"record {len(jobs)}"
            try:
                _refuse_nan(job.record)
                identities.name(job, job.lane)
            except (ValueError, TypeError, RecursionError) as error:
                job.end("rejected", f"the record cannot be written as JSON: {error}")
                continue
            job.position = f"{batch.page.number} {seen[job.content]}"
            seen[job.content] += 1
    return jobs


def hold(jobs: Iterable[Job], rows: Iterable[Held], *, keyed: bool, replay: bool) -> None:
    """Give each job its row of the journal, or a new one.

    Args:
        jobs: those that can be sent.
        rows: what the journal has of them.
        keyed: there is one row for each key; otherwise one for each of equal records.
        replay: the records are quarantined ones: what was left unknown is theirs.
    """
    known: dict[str, list[Held]] = defaultdict(list)
    for held in rows:
        known[held.identity].append(held)
    if keyed:
        for job in jobs:
            of_key = known[job.identity]
            if not of_key:
                of_key.append(Held.new(job.identity))
            job.held = of_key[0]
        return
    past = {name: sum(each.met for each in same if not each.apart) for name, same in known.items()}
    left = {name: iter(_of_this_reading(same, replay)) for name, same in known.items()}
    for job in jobs:
        found = next(left.get(job.identity, iter(())), None)
        place = past.get(job.identity, 0)
        past[job.identity] = place + 1
        job.held = found or Held.new(job.identity, APART if replay else place)


def _of_this_reading(rows: Iterable[Held], replay: bool) -> list[Held]:
    """Return the rows of records that the reading meets from here on."""
    if replay:
        return [held for held in rows if held.apart or held.unknown]
    return [held for held in rows if not held.met and not held.apart]


def _of_batch(
    batch: Batch, key: Sequence[str], version: str | None, *, mapped: bool
) -> Iterator[Job]:
    places = key_places(batch.columns, key)
    at = key_places(batch.columns, [version]) if version else []
    for row, source in zip(batch.rows, batch.sources, strict=True):
        values = tuple(row[place] for place in places)
        whole = bool(values) and None not in values
        columns, kept = batch.columns, row
        if not mapped and isinstance(source, Mapping):
            pairs = [pair for pair in zip(columns, row, strict=True) if pair[0] in source]
            columns, kept = tuple(each[0] for each in pairs), tuple(each[1] for each in pairs)
        record = nested(columns, kept) if mapped else dict(zip(columns, kept, strict=True))
        told = _encoder.encode(row[at[0]]).decode() if at and row[at[0]] is not None else None
        yield Job(source, values if whole else None, record, version=told)


def _refuse_nan(value: Any) -> None:
    """Refuse a float that JSON has no number for."""
    if isinstance(value, float) and (value != value or value in (float("inf"), -float("inf"))):  # noqa: PLR0124 (NaN alone differs from itself)
        raise ValueError("a float that is no number (NaN or infinite)")
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return
    for below in value:
        _refuse_nan(below)
