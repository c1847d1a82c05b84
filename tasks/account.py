"""The account of one logical run: what was counted, and what a resumed run goes on from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from astrio.blocks.errors import AstrioError, ImbalanceError, TooManyRejectsError
from astrio.tasks.batch import Batch
from astrio.tasks.destinations.base import Written
from astrio.tasks.quality.profile import Profile
from astrio.tasks.report import (
    MOST_FIELDS,
    OTHER_FIELDS,
    BrokenRule,
    ErrorReport,
    Parents,
    Records,
    Requests,
    RunReport,
    TableChanges,
)


@dataclass
class Account:
    """Counts a run's records, and says at the end whether they add up.

    Attributes:
        report: the run report so far; it counts committed chunks only.
        run_id: identity of the logical run, kept when it is resumed.
        started: when the logical run began.
        max_rejected: a count, or a share such as "5%"; None: fail only if all are rejected.
        requests: reads the HTTP client's figures.
        cursor: the highest cursor value seen in the slice.
        ties: the records at the boundary of the next run; None: they need not be known.
        profile: what the records of committed chunks hold, field by field.
    """

    report: RunReport
    run_id: str
    started: datetime
    max_rejected: int | str | None = None
    requests: Callable[[], Requests] = Requests
    cursor: Any = None
    ties: dict[str, Any] | None = None
    profile: Profile = field(default_factory=Profile)
    _first_reading: int = field(default=0, repr=False)

    def after(self, batches: list[Batch], written: Written) -> tuple[int, Records]:
        """Return pages and records as they stand once these batches are committed."""
        records = self.report.records.model_copy()
        pages = self.report.pages
        for batch in batches:
            pages = batch.page.number
            records.fetched += batch.page.fetched
            records.filtered += batch.page.filtered
            records.unchanged += batch.page.known
            records.rejected += len(batch.rejects)
            if batch.page.claimed is not None:
                records.claimed = batch.page.claimed
        records.filtered += written.filtered
        records.rejected += len(written.rejected)
        records.written += written.written
        records.unchanged += written.unchanged
        records.failed += len(written.failed)
        records.deleted += written.deleted
        return pages, records

    def table_after(self, written: Written) -> TableChanges | None:
        """Return the changes of the table as they stand with this chunk, None if there are none."""
        changes = (self.report.table or TableChanges()).plus(written.table)
        return None if changes == TableChanges() else changes

    def broken_after(self, batches: list[Batch]) -> list[BrokenRule]:
        """Return how many records broke each rule once these batches are committed.

        Rules beyond the first 500 are counted together: a model may know very many.
        """
        counts = Counter(
            {
                (each.field, each.rule, each.severity): each.records
                for each in self.report.broken_rules
            }
        )
        for batch in batches:
            for rule, records in batch.broken.items():
                known = rule in counts or len(counts) < MOST_FIELDS
                counts[rule if known else (OTHER_FIELDS, OTHER_FIELDS, rule[2])] += records
        return [
            BrokenRule(field=field, rule=rule, severity=severity, records=records)
            for (field, rule, severity), records in counts.items()
        ]

    def add(self, batches: list[Batch], written: Written) -> None:
        """Count a committed chunk."""
        self.report.pages, self.report.records = self.after(batches, written)
        self.report.table = self.table_after(written)
        self.report.broken_rules = self.broken_after(batches)
        self.report.requests = self.requests()
        marks = (batch.page.mark for batch in batches)
        self.report.pages_skipped += sum(mark is not None and mark.skipped for mark in marks)
        self.profile.add(batches, [*written.rejected, *written.failed])
        for batch in batches:
            if batch.page.parents is not None:
                self.report.parents = Parents(**asdict(batch.page.parents))

    def restart(self) -> None:
        """Begin the slice's counts anew: every record is counted once, in the reading that holds.

        What the first reading wrote counts as written by this run although the second reading
        finds it unchanged.
        """
        self._first_reading += self.report.records.written
        self.report.records = Records(deleted=self.report.records.deleted)
        self.report.pages = self.report.pages_skipped = 0
        self.report.broken_rules = []
        self.profile = self.profile.restarted()
        self.report.parents = None
        if self.report.table is not None:
            self.report.table.discarded_values.clear()
            self.report.table.discarded_rows.clear()
        self.cursor = None

    def close(self) -> None:
        """Fold in an abandoned first reading: what it wrote and the second left is written."""
        records = self.report.records
        moved = min(self._first_reading, records.unchanged)
        records.written += moved
        records.unchanged -= moved

    def check(self, *, whole: bool = False) -> None:
        """Judge the finished run.

        Args:
            whole: a part of the source will not do, as the records take the place of all others.

        Raises:
            ImbalanceError: the records do not add up, differ from the API's own total, or are
                only a part.
            TooManyRejectsError: more were rejected, or refused by the destination, than allowed.
        """
        records = self.report.records
        if not records.balanced:
            raise ImbalanceError(
                f"{records.fetched} records were fetched but {records.accounted} accounted for.",
                advice="Please report this with the run's report: it is a fault of astrio.",
            )
        limited = self.report.stop_reason == "limit"
        if records.claimed is not None and records.claimed != records.fetched and not limited:
            raise ImbalanceError(
                f"The API claims {records.claimed} records, but {records.fetched} arrived, "
                "in two readings.",
                advice="Check paginate (page size, stop condition) and the path of `total`.",
            )
        if limited and whole:
            raise ImbalanceError(
                f"max_pages ended the reading after {self.report.pages} pages, before the source's "
                "end: the old rows stay, as `mode: replace` never puts a part in their place.",
                advice="Raise paginate.max_pages, or choose another push.mode.",
            )
        self._check_rejected(records)

    def _check_rejected(self, records: Records) -> None:
        kept = records.fetched - records.filtered
        most = allowed(self.max_rejected, kept)
        lost = records.rejected + records.failed
        if lost > most:
            others = ", the rules or the destination" if records.failed else " or the rules"
            share = "all" if lost == kept else f"{lost} of {kept}"
            limit = "" if self.max_rejected is None else f" (maxRejected: {self.max_rejected})"
            raise TooManyRejectsError(
                f"The mapping{others} rejected {share} records{limit}.",
                advice="See why with `astrio quarantine list`; mend the mapping, then run again.",
            )

    def tell(self) -> None:
        """Put the figures of the profile into the report."""
        self.report.fields, self.report.profiled = self.profile.figures(), self.profile.scope

    def roll_back(self) -> None:
        """Count rows whose transaction was rolled back as failed."""
        records = self.report.records
        records.failed += records.written + records.unchanged
        records.written = records.unchanged = records.deleted = 0
        self.report.table = None

    def fail(self, error: AstrioError, *, state: str = "failed") -> RunReport:
        """End the account with an error."""
        self.report.state = state
        self.report.error = ErrorReport.of(error)
        self.report.requests = self.requests()
        self.tell()
        if self.report.stop_reason is None:
            self.report.stop_reason = "error"
        return self.report


def allowed(limit: int | str | None, kept: int) -> float:
    """Return how many of `kept` may fail under a count or a share; None: all but one."""
    if limit is None:
        return max(kept - 1, 0)
    if isinstance(limit, str) and limit.endswith("%"):
        return kept * float(limit[:-1]) / 100
    return int(limit)
