"""The profile of a run: figures of its mapped fields, and a look at its source records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import Any, Final

from astrio.tasks.batch import Batch, Reject
from astrio.tasks.quality.drift import MOST_FIELDS, Baseline, Seen
from astrio.tasks.quality.field import WORDS, FieldProfile
from astrio.tasks.quality.figures import Drift, FieldFigures, Profiled

SAMPLED: Final = 50
"""How many source records of a chunk are looked at."""
SEEN_CHUNKS: Final = 4
"""How many chunks are looked at first; then every fourth."""


class Profile:
    """Counts what one run's records hold; bounded in fields, and in memory for each of them.

    Attributes:
        records: how many mapped records were looked at.
        rejected: how many others the mapping or a rule had rejected before.
        whole: it is of all that the run has read: it does not go on with another, and no page
            was skipped.
    """

    def __init__(
        self, *, mapped: bool = True, sources: bool = True, count_all: Collection[str] = ()
    ) -> None:
        """Begin with nothing seen.

        Args:
            mapped: records have the columns of `map`; if not, their columns vary.
            sources: the source's records are to be looked at, too: they are not the mapped ones.
            count_all: fields whose different values are all to be counted, not only the first.
        """
        self.records = 0
        self.rejected = 0
        self.whole = True
        self._mapped = mapped
        self._sources = sources
        self._count_all = count_all
        self._fields: dict[str, FieldProfile] = {}
        self._invalid = Counter[str]()
        self._untracked = set[str]()
        self._chunks = 0
        self._sampled = 0
        self._source: dict[str, Seen] = {}
        self._skipped = False

    def restarted(self) -> Profile:
        """Return an empty profile of the same kind."""
        return Profile(mapped=self._mapped, sources=self._sources, count_all=self._count_all)

    def add(self, batches: Sequence[Batch], refused: Iterable[Reject] = ()) -> None:
        """Count a chunk, and the rows of it that the destination refused."""
        for batch in batches:
            self.records += len(batch.rows)
            if batch.page.mark is not None and batch.page.mark.skipped:
                self._skipped, self.whole = True, False
            for name, column in zip(
                batch.columns, batch.fields() if batch.rows else (), strict=False
            ):
                if (profile := self._profile(name)) is not None:
                    profile.add(column)
        self.rejected += sum(len(batch.rejects) for batch in batches)
        for reject in chain(*(batch.rejects for batch in batches), refused):
            for name in {problem.field for problem in reject.problems if problem.field}:
                if len(self._invalid) < MOST_FIELDS or name in self._invalid:
                    self._invalid[name] += 1
        self._chunks += 1
        if self._sources and (self._chunks <= SEEN_CHUNKS or self._chunks % SEEN_CHUNKS == 0):
            # Of one page, as a page may have to be decoded for it.
            self._look_at(next((each.sources for each in batches if each.sources), ()))

    def _profile(self, name: str) -> FieldProfile | None:
        found = self._fields.get(name)
        if found is None and len(self._fields) < MOST_FIELDS:
            found = self._fields[name] = FieldProfile(count_all=name in self._count_all)
        if found is None and len(self._untracked) < MOST_FIELDS:
            self._untracked.add(name)
        return found

    def _look_at(self, sources: Sequence[Any]) -> None:
        for place in range(0, len(sources), max(1, len(sources) // SAMPLED)):
            record = sources[place]
            if record.__class__ is not dict:
                continue
            self._sampled += 1
            for name, value in record.items():
                if name in self._source or len(self._source) < MOST_FIELDS:
                    seen = self._source.setdefault(name, Seen())
                    if value is not None:
                        seen.filled += 1
                        seen.kinds.add(WORDS.get(type(value), "other"))

    def field(self, name: str) -> FieldProfile:
        """Return what is known of a field."""
        return self._fields.get(name) or FieldProfile()

    def invalid(self, name: str) -> int:
        """Return how many records were rejected for the field's sake."""
        return self._invalid[name]

    def figures(self) -> dict[str, FieldFigures]:
        """Return the figures of each field, in the order of the columns."""
        names = dict.fromkeys([*self._fields, *self._invalid])
        return {name: self.field(name).figures(self.records, self.invalid(name)) for name in names}

    @property
    def scope(self) -> Profiled:
        """What the figures are of."""
        return Profiled(records=self.records, whole=self.whole, untracked=len(self._untracked))

    def compared(self, earlier: dict[str, Any] | None) -> tuple[Drift, dict[str, Any] | None]:
        """Return the drift since the earlier runs, and what the next run is to be compared with.

        Where pages were skipped, no field is missed: it may have values on these.
        """
        if not self.records:
            return Drift(), earlier
        told = earlier or {}
        fields, source = Baseline.of(told.get("fields")), Baseline.of(told.get("source"))
        seen = {name: Seen(each.filled, each.kinds) for name, each in self._fields.items()}
        drift = Drift(
            fields=fields.changes(self.records, seen, mapped=self._mapped),
            source=source.changes(self._sampled, self._source, mapped=False),
        )
        if self._skipped:
            drift.fields.vanished.clear()
            drift.source.vanished.clear()
            return drift, {
                "fields": fields.joined_by(seen).document(),
                "source": source.joined_by(self._source).document(),
            }
        return drift, {
            "fields": fields.after(self.records, seen, drift.fields).document(),
            "source": source.after(self._sampled, self._source, drift.source).document(),
        }
