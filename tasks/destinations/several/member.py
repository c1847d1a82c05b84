"""One of several destinations: what it is given of the common reading, and its own counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from astrio.blocks.errors import AstrioError
from astrio.tasks.account import Account
from astrio.tasks.batch import Batch
from astrio.tasks.destinations.base import Chunk, Destination, RunIdentity, StreamState, Written
from astrio.tasks.destinations.called import called
from astrio.tasks.destinations.several.gate import Gate, Gating
from astrio.tasks.destinations.several.known import Known, name_of_record
from astrio.tasks.destinations.several.level import OWN, Standing
from astrio.tasks.destinations.several.merging import merged
from astrio.tasks.destinations.several.naming import name_of, of_run
from astrio.tasks.incremental import higher
from astrio.tasks.report import DestinationReport, Records, RunReport, TableChanges

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _counts(records: Records, table: TableChanges | None) -> dict[str, Any]:
    return {"records": records.model_dump(), "table": table.model_dump() if table else None}


def _account() -> Account:
    return Account(RunReport(integration=""), "", _EPOCH)


@dataclass(eq=False)
class Member:
    """One destination.

    Attributes:
        destination: not yet opened.
        reference: the database that its state lives in.
        table: the table's name, or what stands for it.
        mode: how rows meet those that are there.
        staged: what is written is seen at the end, or not at all.
        takes_back: what is committed in one transaction can be rolled back as a whole.
        vanishing: rows that a whole reading does not meet are gone from the source.
        shared: its database takes one writer at a time, and is another destination's too.
        to: what it is called in reports.
        state: what it remembers, once it is open.
        account: its own counts.
        out: it has everything of this run already, and is left alone.
        had: events that have had their effect here.
        pages: how many pages of the run are committed here, by its resume point.
    """

    destination: Destination
    reference: str
    table: str
    mode: str
    staged: bool = False
    takes_back: bool = True
    vanishing: bool = False
    shared: bool = False
    to: str = ""
    state: StreamState = field(default_factory=StreamState)
    account: Account = field(default_factory=_account)
    out: bool = False
    had: set[str] = field(default_factory=set)
    _finished: bool = False
    _anew: bool = False
    pages: int = 0
    _known: Known = field(default_factory=Known)
    _gate: Gate | None = None
    _told: RunReport | None = None

    @property
    def name(self) -> str:
        """What tells it from the others."""
        return name_of(self.reference, self.table)

    @property
    def appends(self) -> bool:
        """Whether what it is given twice, it holds twice."""
        return self.mode == "append"

    @property
    def standing(self) -> Standing:
        """How far it is."""
        return Standing(self.name, self.state, self.appends)

    def is_whole(self, *, atomic: bool) -> bool:
        """Whether what is committed counts only once the slice is finished."""
        return self.staged or self.in_one(atomic=atomic)

    def in_one(self, *, atomic: bool) -> bool:
        """Whether a slice is one transaction here."""
        return atomic and self.appends and self.takes_back and not self.staged

    def begin(self, *, atomic: bool, whole: bool) -> None:
        """Start a slice."""
        more = {"whole": True} if whole and self.vanishing else {}
        self.destination.begin_slice(atomic=self.in_one(atomic=atomic), **more)

    def open(self, run: RunIdentity, *, wait: bool) -> None:
        """Open it, under an id of its own: others may be in the same database."""
        run = replace(run, run_id=of_run(run.run_id, self.name))
        self.state = self.destination.open(run, wait=wait)

    def adopt(self, run: str, started: datetime | None, from_: dict[str, Any]) -> None:
        """Go on in the unfinished run, with the counts that this destination had at that point."""
        self.destination.adopt(of_run(run, self.name), started)
        point, self.pages = self.state.resume, int(from_["pages"])
        if point is None or point["run_id"] != run:
            told = Records(**from_["records"])
            there = told.fetched - told.filtered - told.rejected
            common = told.model_dump(include={"claimed", "fetched", "filtered", "rejected"})
            self.account.report.records = Records(**common, unchanged=there)
            return
        own = point.get(OWN) or {}
        counts = own.get("after" if point["pages"] == self.pages else "before")
        if counts:
            self.account.report.records = Records(**counts["records"])
            table = counts["table"]
            self.account.report.table = TableChanges(**table) if table else None

    def guard(self, gating: Gating | None, run: str | None, *, anew: bool) -> None:
        """Let in only what is not there already, where rows are only added.

        With `anew`, all is let in, and the watermark is set whatever it was.
        """
        self._anew = anew
        if self.appends and self.state.resume is not None and not anew:
            self._known = Known((self.state.resume.get(OWN) or {}).get("rows", ()))
        if self.appends and gating is not None and self._gate is None:
            point = self.state.resume
            resumed = point is not None and point["run_id"] == run
            self._gate = gating(self.state, point.get("ties") if point and resumed else None)

    def commit(self, chunk: Chunk, earlier: Sequence[Written], since: int) -> Written:
        """Write what it needs of a chunk.

        Args:
            chunk: of the common reading.
            earlier: what became of it in the destinations before.
            since: how many pages are committed in all destinations.
        """
        if any(batch.page.restart for batch in chunk.batches):
            self.account.restart()
        rows = sum(len(batch.rows) for batch in chunk.batches)
        if self.out:
            written = Written(unchanged=rows)
        else:
            names = [self._names(batch) for batch in chunk.batches]
            batches = list(map(self._needed, chunk.batches, names))
            known = rows - sum(len(batch.rows) for batch in batches)

            def resume(own: Written) -> dict[str, Any] | None:
                own = replace(own, unchanged=own.unchanged + known)
                point = chunk.resume(merged(chunk.batches, [*earlier, own]))
                return None if point is None else self._point(chunk, point, own, since, names)

            own = replace(
                chunk,
                batches=batches,
                resume=resume,
                watermark=self._mark(chunk.watermark),
                ties=chunk.ties if self._gate is None else self._gate.ties,
            )
            written = self.destination.commit(own)
            written.unchanged += known
        self._count(list(chunk.batches), written)
        return written

    def _names(self, batch: Batch) -> list[str]:
        """Return names of the batch's records, where they may have to be known again."""
        places = range(len(batch.rows)) if self.appends else ()
        return [name_of_record(batch.sources[at]) for at in places]

    def _needed(self, batch: Batch, names: list[str]) -> Batch:
        """Return the batch without what it has already."""
        if not self.appends or not batch.rows:
            return batch
        if batch.page.effects and self.had.issuperset(batch.page.effects):
            return replace(batch, rows=[], sources=[])
        new = self._known.fresh(names) if self._known else [True] * len(names)
        if self._gate is not None:
            within = self._gate.fresh([batch.sources[at] for at in range(len(batch.rows))])
            new = [both == (True, True) for both in zip(new, within, strict=True)]
        if all(new):
            return batch
        kept = [at for at, needed in enumerate(new) if needed]
        rows, sources = [batch.rows[at] for at in kept], [batch.sources[at] for at in kept]
        return replace(batch, rows=rows, sources=sources)

    def _point(
        self,
        chunk: Chunk,
        point: dict[str, Any],
        own: Written,
        since: int,
        names: Sequence[Sequence[str]],
    ) -> dict[str, Any]:
        """Return its resume point, with what it needs if the others do not get this far."""
        self.pages = int(point["pages"])
        report = self.account.report
        _, records = self.account.after(list(chunk.batches), own)
        more: dict[str, Any] = {
            "since": since,
            "before": _counts(report.records, report.table),
            "after": _counts(records, self.account.table_after(own)),
        }
        if self.appends:
            more["rows"] = [*chain.from_iterable(names), *self._known.names()]
        ties = {} if self._gate is None else {"ties": self._gate.ties}
        return {**point, **ties, OWN: more}

    def _mark(self, mark: Any) -> Any:
        """Return the new watermark; one that is ahead keeps its own, unless all is read anew."""
        known = self.state.watermark
        if self._anew or mark is None or known is None or mark == known:
            return mark
        try:
            return higher(known, mark)
        except AstrioError:  # tokens have no order: the last one counts
            return mark

    def _count(self, batches: list[Batch], written: Written) -> None:
        report = self.account.report
        report.pages, report.records = self.account.after(batches, written)
        report.table = self.account.table_after(written)

    def finish(
        self, report: RunReport, *, watermark: Any, ties: Any, reread: bool, **how: Any
    ) -> None:
        """End the slice here."""
        if self.out or self._finished:
            return
        told = self._own(report)
        self.destination.finish(
            told,
            watermark=self._mark(watermark),
            ties=ties if self._gate is None else self._gate.ties,
            reread=reread and self.mode not in {"append", "replace"},
            **how,
        )
        self._finished = True
        self._take_over(told, report)

    def abandon(self, report: RunReport | None, *, clear_resume: bool) -> None:
        """Roll back what is not committed here, unless the slice has ended here already."""
        if self.out or self._finished:
            return
        told = None if report is None else self._own(report)
        self.destination.abandon(told, clear_resume=clear_resume)
        if report is not None and told is not None:
            self._take_over(told, report)

    def _own(self, report: RunReport) -> RunReport:
        """Return the report as it is kept here: with this destination's own counts."""
        own = self.account.report
        changed = {
            "warnings": [*report.warnings],
            "records": own.records.model_copy(),
            "table": own.table,
        }
        return report.model_copy(update=changed)

    def _take_over(self, told: RunReport, report: RunReport) -> None:
        """Keep what only this destination knows: deleted rows, the difference, its warnings."""
        self._told = told
        self.account.report.records.deleted = told.records.deleted
        new = told.warnings[len(report.warnings) :]
        name = called(self.table, self.to)
        name = self.name if name == self.table else name
        report.warnings += [f"{name}: {warning}" for warning in new]

    def described(self) -> DestinationReport:
        """Return its part of the report."""
        return DestinationReport(
            to=self.to or self.reference,
            table=self.table,
            mode=self.mode,
            records=self.account.report.records.model_copy(),
            changes=self.account.report.table,
            difference=self._told.difference if self._told else None,
        )
