"""The end of a run's profile: its figures are told, compared with earlier runs, and judged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from astrio.blocks.errors import QualityError
from astrio.tasks.outcome import Outcome
from astrio.tasks.quality.figures import Changes, Drift
from astrio.tasks.quality.thresholds import breaches


def judge(outcome: Outcome) -> dict[str, Any] | None:
    """Tell figures, drift and crossed thresholds in the report.

    Records that are not the stream's own reading (a replay, events) are neither compared nor
    judged: they are few, and chosen.

    Returns:
        What the next run is to be compared with; None: what is stored stays.

    Raises:
        QualityError: an entry of `quality:` with severity `error` is broken.
    """
    account, report = outcome.account, outcome.account.report
    account.tell()
    if outcome.apart:
        return None
    profile = account.profile
    report.drift, remembered = profile.compared(outcome.earlier)
    report.quality = breaches(outcome.quality, profile, outcome.earlier, report.drift.fields)
    report.warnings += drift_words(report.drift)
    report.warnings += [each.message for each in report.quality if each.severity == "warning"]
    errors = [each.message for each in report.quality if each.severity == "error"]
    if errors:
        raise QualityError(f"Quality: {'; '.join(errors)}.", advice=_advice(outcome))
    return remembered


def drift_words(drift: Drift) -> list[str]:
    """Return what has vanished or changed since earlier runs, in sentences."""
    return [
        *_sentences("The field", drift.fields),
        *_sentences("The source's field", drift.source),
    ]


def _sentences(what: str, changes: Changes) -> Iterator[str]:
    for name in changes.vanished:
        yield f"{what} {name} has no value in any record, and had in earlier runs."
    for name, how in changes.changed.items():
        yield f"{what} {name} changed from {how}."


def _advice(outcome: Outcome) -> str:
    written = (
        "None of the run's rows is in the table"
        if outcome.all_or_nothing
        else "The run's rows are in the table"
    )
    return (
        f"{written}; the next run reads the same records again. See `fields` in the report; mend "
        "the source or the mapping, or change `quality`."
    )
