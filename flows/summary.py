"""The run report for people, in Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from astrio.tasks.destinations.called import called
from astrio.tasks.difference import Difference
from astrio.tasks.quality.figures import Changes, FieldFigures
from astrio.tasks.report import BrokenRule, PartReport, RunReport, TableChanges

SHOWN_FIELDS = 50
_FATES = ("filtered", "rejected", "written", "unchanged", "failed")
SHOWN_PARTS = 20
_PARTS = {
    "completed": "done",
    "done_before": "done before",
    "failed": "failed",
    "cancelled": "stopped",
    "not_begun": "not begun",
}
STATES = {
    "completed": "Completed",
    "completed_with_rejects": "Completed with rejects",
    "failed": "Failed",
    "cancelled": "Cancelled",
}


def headline(report: RunReport) -> str:
    """Return the state and the balance in one line."""
    records = report.records
    fates = " + ".join(f"{getattr(records, name):,} {name}" for name in _FATES)
    dry = "Dry run, nothing written. " if report.dry_run else ""
    return f"{dry}{STATES.get(report.state, report.state)}: {records.fetched:,} fetched = {fates}"


def facts(report: RunReport) -> list[tuple[str, str]]:
    """Return what else there is to tell, as pairs of a label and a text."""
    requests, records = report.requests, report.records
    pairs = [] if report.part is None else [("Part", report.part)]
    pairs += _parts(report.parts)
    skipped = f", {report.pages_skipped:,} of them unchanged" if report.pages_skipped else ""
    pairs.append(("Pages", f"{report.pages:,} ({report.stop_reason or 'unknown'}){skipped}"))
    if report.replay:
        pairs.append(("Replayed", "from the quarantine"))
    else:
        claimed = "no total" if records.claimed is None else f"{records.claimed:,}"
        pairs.append(("Claimed by the API", claimed))
        pairs.append(("Requests", f"{requests.sent:,} sent, {requests.retried:,} retried"))
    if requests.p50_ms is not None:
        pairs.append(("Response times", f"{requests.p50_ms} ms median, {requests.p95_ms} ms p95"))
    if report.window.start is not None or report.checkpoint:
        pairs.append(("Window", f"{report.window.start or 'the beginning'} to {report.window.end}"))
    if report.checkpoint:
        pairs.extend((f"Checkpoint {name}", str(at)) for name, at in report.checkpoint.items())
    if report.broken_rules:
        pairs.append(("Rules broken", "; ".join(map(_broken, report.broken_rules))))
    if records.deleted:
        pairs.append(("Rows deleted", f"{records.deleted:,} that the source has no more"))
    pairs.extend(_table(report))
    pairs.extend(_destinations(report))
    pairs.extend(_handed_on(report))
    for label, changes in (("Drift", report.drift.fields), ("Source drift", report.drift.source)):
        if changes:
            pairs.append((label, _drift(changes)))
    pairs.append(("Time", f"{report.seconds:.1f} s"))
    return pairs


def _parts(parts: Sequence[PartReport]) -> Iterator[tuple[str, str]]:
    """Yield how many parts have met which end, and those that are left, as far as can be shown."""
    if not parts:
        return
    states = Counter(each.state for each in parts)
    states["completed"] += states.pop("completed_with_rejects", 0)
    words = (f"{states[state]:,} {word}" for state, word in _PARTS.items() if states[state])
    yield "Parts", f"{len(parts):,}: {', '.join(words)}"
    for each in [each for each in parts if each.error is not None][:SHOWN_PARTS]:
        yield f"  {each.part}", each.error.message if each.error else ""


def _table(report: RunReport) -> Iterator[tuple[str, str]]:
    if report.file is not None:
        yield "File", report.file
    if report.difference is not None:
        yield from _difference(report.difference)
    elif report.table is not None:
        yield from _changes(report.table)


def _destinations(report: RunReport) -> Iterator[tuple[str, str]]:
    """Yield what became of the records in each of several destinations."""
    for each in report.destinations:
        fates = ", ".join(f"{getattr(each.records, name):,} {name}" for name in _FATES)
        name = called(each.table, each.to)
        yield f"Into {name}", fates if name != each.table else f"{fates} ({each.to})"
        told = each.difference
        pairs = _difference(told) if told else _changes(each.changes) if each.changes else ()
        yield from ((f"  {label}", text) for label, text in pairs)


def _handed_on(report: RunReport) -> Iterator[tuple[str, str]]:
    for each in report.handed_on:
        told = STATES.get(each.state, each.state.capitalize())
        yield f"Handed on to {each.integration}", told


def _changes(table: TableChanges) -> Iterator[tuple[str, str]]:
    if table.added:
        yield "Columns added", ", ".join(table.added)
    if table.widened:
        yield "Columns widened", ", ".join(f"{name} {how}" for name, how in table.widened.items())


def _difference(found: Difference) -> Iterator[tuple[str, str]]:
    """Yield what a dry run would change; no row is among it, as anybody may see the artifact."""
    sends = found.requests is not None
    counts = (
        ("new", "changed", "unchanged") if sends else ("new", "changed", "unchanged", "removed")
    )
    told = ", ".join(f"{getattr(found, name):,} {name}" for name in counts)
    yield "Records" if sends else "Rows", told
    if found.requests is not None:
        yield "Requests to send", f"{found.requests:,}"
    if found.file is not None:
        how = "replaces " if found.file.replaces else ""
        yield "File", f"{how}{found.file.name}, {found.file.bytes:,} bytes"
    columns = ", ".join(f"{name} {kind}" for name, kind in found.columns_added.items())
    if found.table_created:
        yield "New table", columns
    elif columns:
        yield "New columns", columns
    if found.columns_widened:
        widened = (f"{name} {how}" for name, how in found.columns_widened.items())
        yield "Wider columns", ", ".join(widened)


def _broken(rule: BrokenRule) -> str:
    field = f"{rule.field} " if rule.field else ""
    mild = " (warning)" if rule.severity == "warning" else ""
    return f"{field}{rule.rule}: {rule.records:,}{mild}"


def _of_part(each: FieldFigures) -> str:
    return "" if each.distinct_of == each.filled else f" of the first {each.distinct_of:,}"


def _drift(changes: Changes) -> str:
    told = [f"{name} {how}" for name, how in changes.changed.items()]
    kinds = (("appeared", changes.appeared), ("vanished", changes.vanished), ("changed", told))
    return "; ".join(f"{verb}: {', '.join(names)}" for verb, names in kinds if names)


def markdown(report: RunReport, earlier: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return the report, and a line for each earlier run, as the text of a Markdown artifact."""
    lines = [f"## {report.integration}", "", f"**{headline(report)}**", ""]
    lines += ["| | |", "|---|---|"]
    lines += [f"| {label} | {_cell(text)} |" for label, text in facts(report)]
    lines += [f"\n> Warning: {_cell(warning)}" for warning in report.warnings]
    if report.error is not None:
        where = f" `{report.error.request}`" if report.error.request else ""
        lines += ["", f"**{report.error.kind}:** {report.error.message}{where}"]
        lines += ["", report.error.advice]
    return "\n".join([*lines, *_fields(report), *_history(earlier)])


def _fields(report: RunReport) -> list[str]:
    """Return the figures of fields as a table: of what the run itself has looked at."""
    if not report.fields:
        return []
    head = ["field", "kinds", "filled", "nulls", "invalid", "distinct", "min", "max", "length"]
    rows = [_field(name, each) for name, each in list(report.fields.items())[:SHOWN_FIELDS]]
    table = [head, ["---"] * 2 + ["---:"] * (len(head) - 2), *rows]
    lines = [f"| {' | '.join(map(_cell, cells))} |" for cells in table]
    why = ", on pages that have changed" if report.pages_skipped else ", since the run was resumed"
    part = "" if report.profiled.whole else why
    more = len(report.fields) - len(rows) + report.profiled.untracked
    rest = ["", f"and {more:,} more fields"] if more else []
    return ["", f"### Fields of {report.profiled.records:,} records{part}", "", *lines, *rest]


def _field(name: str, each: FieldFigures) -> list[str]:
    lengths = [each.shortest, each.longest] if each.longest is not None else []
    return [
        name,
        ", ".join(each.kinds),
        *(f"{count:,}" for count in (each.filled, each.nulls, each.invalid)),
        "" if each.distinct is None else f"{each.distinct:,}{_of_part(each)}",
        *("" if bound is None else str(bound) for bound in (each.min, each.max)),
        " to ".join(map(str, dict.fromkeys(lengths))),
    ]


def _history(earlier: Sequence[Mapping[str, Any]]) -> list[str]:
    if not earlier:
        return []
    head = ["started (UTC)", "state", "fetched", *_FATES, "seconds"]
    rows = [_row(run) for run in earlier]
    lines = [head, ["---"] * 2 + ["---:"] * (len(head) - 2), *rows]
    return ["", "### Earlier runs", "", *(f"| {' | '.join(cells)} |" for cells in lines)]


def _row(run: Mapping[str, Any]) -> list[str]:
    records = run.get("records") or {}
    counts = [f"{records[name]:,}" if name in records else "" for name in ("fetched", *_FATES)]
    state = str(run["state"])
    return [
        str(run["started_at"])[:19],
        f"{STATES.get(state) or state}{' (replay)' if run.get('replay') else ''}",
        *counts,
        str(run.get("seconds", "")),
    ]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
