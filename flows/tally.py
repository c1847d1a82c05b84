"""The account of a run of many parts: their reports, and one that is the sum of all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from astrio.blocks.errors import AstrioError, ConfigurationError, CredentialsError
from astrio.tasks.progress import Progress
from astrio.tasks.report import (
    BrokenRule,
    ErrorReport,
    PartReport,
    Records,
    Requests,
    RunReport,
    TableChanges,
    Window,
)

MOST_FAILURES: Final = 3
SHOWN: Final = 5
_SUMMED: Final = tuple(name for name in Records.model_fields if name != "claimed")


class PartsError(AstrioError):
    """Some parts of a run have failed, or were not begun."""

    kind = "parts"


@dataclass
class Tally:
    """Counts the parts of one run.

    Attributes:
        integration: its name.
        names: of all parts, in order.
        before: the reports of those that an earlier run, or another process, has done.
        window: of the whole.
        patient: parts fail for reasons of their own, so all are tried.
    """

    integration: str
    names: list[str]
    before: dict[str, RunReport]
    window: Window = field(default_factory=Window)
    patient: bool = False
    _ended: dict[str, RunReport] = field(default_factory=dict)
    _news: dict[str, Progress] = field(default_factory=dict)
    _in_a_row: int = 0
    _hopeless: AstrioError | None = None
    _started: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def gives_up(self) -> bool:
        """Whether no further part shall begin: they would fail for the same reason."""
        if self.patient:
            return isinstance(self._hopeless, ConfigurationError)
        return self._hopeless is not None or self._in_a_row >= MOST_FAILURES

    def hear(self, name: str, news: Progress | RunReport) -> None:
        """Take what a part tells while it is at work."""
        if isinstance(news, RunReport):
            self._ended[name] = news
        else:
            self._news[name] = news

    def end(self, name: str, error: AstrioError | None = None) -> None:
        """Note that a part has ended, with an error or well."""
        if error is None:
            self._in_a_row = 0
            return
        self._in_a_row += 1
        if isinstance(error, ConfigurationError | CredentialsError):
            self._hopeless = error
        if name not in self._ended:
            report = RunReport(integration=self.integration, error=ErrorReport.of(error))
            self._ended[name] = report.model_copy(update={"stop_reason": "error"})

    def is_done(self, name: str) -> bool:
        """Whether a part has told that it has ended well."""
        return name in self._ended and self._ended[name].error is None

    def forget(self, name: str) -> None:
        """Forget what a part that is tried again has told."""
        self._ended.pop(name, None)
        self._news.pop(name, None)

    def progress(self) -> Progress:
        """Return how far the whole is."""
        ended = {**self.before, **self._ended}
        records = [each.records for each in ended.values()]
        at_work = [news for name, news in self._news.items() if name not in ended]
        pages = sum(each.pages for each in ended.values()) + sum(each.pages for each in at_work)
        fetched = sum(each.fetched for each in records) + sum(each.fetched for each in at_work)
        rejected = sum(each.rejected for each in records) + sum(each.rejected for each in at_work)
        return Progress(
            pages=pages,
            fetched=fetched,
            rejected=rejected,
            claimed=None,
            parts=(len(ended), len(self.names)),
        )

    def report(self, flow_run: str | None, *, cancelled: bool = False) -> RunReport:
        """Return the account of the whole: the sums of all parts, and each of them."""
        found = {**self.before, **self._ended}
        reports = [found[name] for name in self.names if name in found]
        whole = RunReport(integration=self.integration, flow_run=flow_run)
        whole.parts = [self._part(name, found.get(name)) for name in self.names]
        whole.window = self.window
        whole.pages = sum(each.pages for each in reports)
        whole.records = _records(reports)
        whole.requests = Requests(
            sent=sum(each.requests.sent for each in reports),
            retried=sum(each.requests.retried for each in reports),
        )
        whole.broken_rules = _broken(reports)
        whole.table = _table(reports)
        whole.warnings = list(dict.fromkeys(text for each in reports for text in each.warnings))
        whole.state = "cancelled" if cancelled else self._state(whole)
        error = self.error(whole)
        whole.error = ErrorReport.of(error) if error and not cancelled else None
        well = not cancelled and error is None
        whole.stop_reason = "no_next" if well else "error"
        whole.seconds = round((datetime.now(UTC) - self._started).total_seconds(), 3)
        return whole

    def error(self, whole: RunReport) -> AstrioError | None:
        """Return what keeps the whole from being done, None if nothing does."""
        states = Counter(each.state for each in whole.parts)
        left = [each for each in whole.parts if each.error is not None]
        unfinished = sum(states[state] for state in ("failed", "cancelled", "not_begun"))
        if not unfinished:
            return None
        told = [f"{each.part}: {each.error.message}" for each in left[:SHOWN] if each.error]
        more = f" And {len(left) - SHOWN} more failed." if len(left) > SHOWN else ""
        unbegun = f", {states['not_begun']} were not begun" if states["not_begun"] else ""
        message = f"{len(left)} of {len(whole.parts)} parts failed{unbegun}. {' '.join(told)}{more}"
        advice = "Run the same again: what is done stays done, and the rest is gone on with."
        cause = self._hopeless if self.gives_up else None
        if cause is not None:
            message, advice = f"{cause.message} ({message})", f"{cause.advice} {advice}".strip()
        nothing = not any(each.records.fetched for each in whole.parts)
        by_file = isinstance(cause, ConfigurationError) and nothing
        error = ConfigurationError if by_file else PartsError
        return error(message, advice=advice, request=cause.request if cause else None)

    def _state(self, whole: RunReport) -> str:
        if any(each.state in ("failed", "cancelled", "not_begun") for each in whole.parts):
            return "failed"
        lost = whole.records.rejected + whole.records.failed
        return "completed_with_rejects" if lost else "completed"

    def _part(self, name: str, report: RunReport | None) -> PartReport:
        if report is None:
            return PartReport(part=name, state="not_begun")
        before = name in self.before and name not in self._ended
        return PartReport(
            part=name,
            state="done_before" if before else report.state,
            records=report.records,
            flow_run=report.flow_run,
            seconds=report.seconds,
            error=report.error,
        )


def _records(reports: list[RunReport]) -> Records:
    sums = {name: sum(getattr(each.records, name) for each in reports) for name in _SUMMED}
    claimed = [each.records.claimed for each in reports]
    known = [each for each in claimed if each is not None]
    return Records(claimed=sum(known) if known and len(known) == len(claimed) else None, **sums)


def _broken(reports: list[RunReport]) -> list[BrokenRule]:
    counts = Counter[tuple[str | None, str, str]]()
    for report in reports:
        for each in report.broken_rules:
            counts[each.field, each.rule, each.severity] += each.records
    return [
        BrokenRule(field=field, rule=rule, severity=severity, records=records)
        for (field, rule, severity), records in counts.items()
    ]


def _table(reports: list[RunReport]) -> TableChanges | None:
    whole = TableChanges()
    for report in reports:
        whole = whole.plus(report.table or TableChanges())
    return None if whole == TableChanges() else whole
