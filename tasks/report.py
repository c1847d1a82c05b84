"""The run report: one balanced account of every record (contract.md, `run --json`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from astrio.blocks.errors import AstrioError
from astrio.tasks.difference import Difference
from astrio.tasks.quality.figures import Breach, Drift, FieldFigures, Profiled

MOST_FIELDS: Final = 500
OTHER_FIELDS: Final = "(others)"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Records(_Model):
    """How many records met which fate; `deleted` counts destination rows, outside the sum."""

    claimed: int | None = None
    fetched: int = 0
    filtered: int = 0
    rejected: int = 0
    written: int = 0
    unchanged: int = 0
    failed: int = 0
    deleted: int = 0

    @property
    def accounted(self) -> int:
        """The right-hand side of the balance."""
        return self.filtered + self.rejected + self.written + self.unchanged + self.failed

    @property
    def balanced(self) -> bool:
        """Whether every fetched record met exactly one fate."""
        return self.fetched == self.accounted


class Requests(_Model):
    """How many HTTP requests the run sent, and how long they took (milliseconds)."""

    sent: int = 0
    retried: int = 0
    p50_ms: int | None = None
    p95_ms: int | None = None


class Parents(_Model):
    """Parents whose children were read, and how many of them have none to read."""

    read: int = 0
    missing: int = 0
    examples: list[str] = Field(default_factory=list)


class TableChanges(_Model):
    """How the run changed the table, and what `push.contract` had it leave out.

    Attributes:
        added: columns that the table did not have before.
        widened: columns that changed their type, each with `BIGINT to TEXT` or the like.
        discarded_values: how many values of a field were left out.
        discarded_rows: how many records were left out for that field's sake; they count as
            filtered.
    """

    added: list[str] = Field(default_factory=list)
    widened: dict[str, str] = Field(default_factory=dict)
    discarded_values: dict[str, int] = Field(default_factory=dict)
    discarded_rows: dict[str, int] = Field(default_factory=dict)

    def plus(self, other: TableChanges) -> TableChanges:
        """Return both together."""
        return TableChanges(
            added=list(dict.fromkeys([*self.added, *other.added])),
            widened=self.widened | other.widened,
            discarded_values=_sums(self.discarded_values, other.discarded_values),
            discarded_rows=_sums(self.discarded_rows, other.discarded_rows),
        )


def _sums(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    """Return the sums by field; fields beyond the first 500 are counted together."""
    sums = dict(one)
    for name, count in other.items():
        known = name in sums or len(sums) < MOST_FIELDS
        place = name if known else OTHER_FIELDS
        sums[place] = sums.get(place, 0) + count
    return sums


class BrokenRule(_Model):
    """How many records broke one rule of one field; with severity `warning` they were written."""

    field: str | None
    rule: str
    severity: str = "error"
    records: int = 0


class Window(_Model):
    """The incremental window, [start, end), as the source writes its cursor; None: open."""

    start: Any = None
    end: Any = None


class ErrorReport(_Model):
    """Why a run failed."""

    kind: str
    message: str
    advice: str = ""
    request: str | None = None

    @classmethod
    def of(cls, error: AstrioError) -> ErrorReport:
        """Describe an astrio error."""
        return cls(
            kind=error.kind, message=error.message, advice=error.advice, request=error.request
        )


class DestinationReport(_Model):
    """One of several destinations: what became of the records there.

    Attributes:
        to: its address, without secrets.
        table: the table, or what stands for it.
        mode: how rows meet those that are there.
        records: the same balance as the run's, for this destination alone.
        changes: how the table was changed.
        difference: what a dry run would change.
    """

    to: str
    table: str
    mode: str
    records: Records
    changes: TableChanges | None = None
    difference: Difference | None = None


class HandedOn(_Model):
    """An integration that takes this one's records over, and what became of its run.

    Attributes:
        integration: its name.
        state: as of every run; `scheduled` if its deployment runs it, `waiting` if nobody does.
        flow_run: the id of its flow run.
        error: why it failed.
    """

    integration: str
    state: str
    flow_run: str | None = None
    error: ErrorReport | None = None


class PartReport(_Model):
    """What became of one part of a run: a chunk of a backfill, a partition.

    `state` is that of a run report; or `done_before`: an earlier run has done it, and these are
    its figures; or `not_begun`.
    """

    part: str
    state: str
    records: Records = Field(default_factory=Records)
    flow_run: str | None = None
    seconds: float = 0.0
    error: ErrorReport | None = None


class RunReport(_Model):
    """The account of one logical run; resumed runs go on counting in the same report.

    Attributes:
        pages_skipped: how many of the pages have not changed, and were not looked at.
        file: the file that the run has written, where records go to files.
    """

    integration: str
    part: str | None = None
    parts: list[PartReport] = Field(default_factory=list)
    state: str = "failed"
    dry_run: bool = False
    replay: bool = False
    flow_run: str | None = None
    window: Window = Field(default_factory=Window)
    pages: int = 0
    pages_skipped: int = 0
    stop_reason: str | None = None
    records: Records = Field(default_factory=Records)
    destinations: list[DestinationReport] = Field(default_factory=list)
    handed_on: list[HandedOn] = Field(default_factory=list)
    parents: Parents | None = None
    table: TableChanges | None = None
    file: str | None = None
    difference: Difference | None = None
    broken_rules: list[BrokenRule] = Field(default_factory=list)
    fields: dict[str, FieldFigures] = Field(default_factory=dict)
    profiled: Profiled = Field(default_factory=Profiled)
    drift: Drift = Field(default_factory=Drift)
    quality: list[Breach] = Field(default_factory=list)
    requests: Requests = Field(default_factory=Requests)
    checkpoint: dict[str, Any] | None = None
    seconds: float = 0.0
    warnings: list[str] = Field(default_factory=list)
    error: ErrorReport | None = None

    @classmethod
    def stored(cls, document: Mapping[str, Any]) -> RunReport:
        """Read a report that is kept somewhere, perhaps by another version, with more beside it."""
        return cls.model_validate({k: v for k, v in document.items() if k in cls.model_fields})
