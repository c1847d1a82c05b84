"""Drift: how the fields of a run differ from those of the runs before it.

What is remembered of earlier runs is one small document for each stream, in which each run counts
four fifths of the one after it. So a field that was rare is not missed, and one that is gone is
told once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from astrio.tasks.quality.figures import Changes

MOST_FIELDS: Final = 500
EXPECTED: Final = 10
"""A field has vanished if, at its earlier share, so many records should have had a value."""
_KEPT: Final = 0.8
_FORGOTTEN: Final = 0.5


@dataclass(slots=True)
class Seen:
    """What a run saw of one field: records with a value, and their kinds."""

    filled: int = 0
    kinds: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Baseline:
    """What is remembered of the runs before.

    Attributes:
        records: how many records there were, earlier runs counting less.
        fields: of each field, how many of them had a value, and of which kinds.
    """

    records: float = 0.0
    fields: dict[str, dict[str, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Mapping[str, Any] | None) -> Baseline:
        """Read what `document` wrote."""
        told = document or {}
        return cls(float(told.get("records", 0)), dict(told.get("fields", {})))

    def document(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"records": round(self.records, 1), "fields": self.fields}

    def share(self, name: str) -> float | None:
        """Return the share of earlier records with a value in the field, None if it was unknown."""
        known = self.fields.get(name)
        if known is None or not self.records:
            return None
        return min(1.0, known.get("", 0.0) / self.records)

    def changes(self, records: int, seen: Mapping[str, Seen], *, mapped: bool) -> Changes:
        """Return what differs in a run of so many records.

        Args:
            records: how many records the run had.
            seen: its fields.
            mapped: the fields are those of `map`: one that is new, or gone, was changed there.
        """
        found = Changes()
        if self.records < EXPECTED:
            return found
        for name, now in seen.items():
            share = self.share(name)
            if now.filled and (not share) and not (mapped and share is None):
                found.appeared.append(name)
            elif now.filled and (kinds := self._kinds(name)) and now.kinds - kinds:
                before, after = "/".join(sorted(kinds)), "/".join(sorted(now.kinds))
                found.changed[name] = f"{before} to {after}"
        for name in self.fields:
            gone = name not in seen or not seen[name].filled
            told = gone and not (mapped and name not in seen)
            if told and records * (self.share(name) or 0.0) >= EXPECTED:
                found.vanished.append(name)
        return found

    def after(self, records: int, seen: Mapping[str, Seen], changes: Changes) -> Baseline:
        """Return what is to be remembered after this run."""
        if not records:
            return self
        fields: dict[str, dict[str, float]] = {}
        for name in [*seen, *(each for each in self.fields if each not in seen)]:
            old = {} if name in changes.vanished else self.fields.get(name, {})
            weights = {kind: round(_KEPT * weight, 1) for kind, weight in old.items()}
            now = seen.get(name, Seen())
            for kind in ("", *now.kinds):
                weights[kind] = weights.get(kind, 0.0) + now.filled
            kept = {kind: weight for kind, weight in weights.items() if weight >= _FORGOTTEN}
            if len(fields) < MOST_FIELDS and (kept or name in seen or name in changes.vanished):
                fields[name] = kept
        return Baseline(_KEPT * self.records + records, fields)

    def joined_by(self, seen: Mapping[str, Seen]) -> Baseline:
        """Return what is to be remembered after a look at some records of a run.

        Their fields and kinds are known from now on; of all others, nothing was found out.
        """
        fields = {name: dict(weights) for name, weights in self.fields.items()}
        for name, now in seen.items():
            if name not in fields and len(fields) >= MOST_FIELDS:
                continue
            weights = fields.setdefault(name, {})
            for kind in ("", *now.kinds) if now.filled else ():
                weights[kind] = max(weights.get(kind, 0.0), now.filled)
        return Baseline(self.records, fields)

    def _kinds(self, name: str) -> set[str]:
        return {kind for kind in self.fields.get(name, {}) if kind}
