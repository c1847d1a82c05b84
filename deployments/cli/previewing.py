"""A previewed sample for people: source, mapped values and problems side by side; and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import takewhile
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from astrio.deployments.cli.output import clean
from astrio.flows.comparing import Change, Changes
from astrio.flows.integration import Integration
from astrio.flows.sampling import Judged, Sample
from astrio.tasks.mapping.parser import parse_value
from astrio.tasks.mapping.syntax import Search, Slice, sources
from astrio.tasks.paths import JsonPath

_LONGEST = 60


def record_table(integration: Integration, number: int, record: Judged) -> Table:
    """Return one record with its sources, values and problems."""
    title = f"Record {number}: {'rejected' if record.problems else 'accepted'}"
    style = "bold red" if record.problems else "bold green"
    table = Table(title=Text(title, style=style), title_justify="left", box=SIMPLE_HEAD)
    for heading in ("Source", "Target", "Value", "Rules"):
        table.add_column(heading, overflow="fold")
    listed = () if isinstance(integration.rules, str) else integration.rules
    ruled = {rule.field for rule in listed if rule.field}
    for target, value in record.mapped.items():
        table.add_row(
            _sources(integration, target, record.source),
            clean(target),
            "" if _failed(record, target) else clean(_shown(value)),
            _verdict(record, target, ruled),
        )
    for problem in (*record.problems, *record.warnings):
        if problem.field not in record.mapped:
            table.add_row("", clean(problem.field or ""), "", _wrong(problem.reason))
    return table


def _sources(integration: Integration, target: str, record: Any) -> Text:
    """Return the source values that the target's expression reads, one a line."""
    if integration.map is None:
        return Text(clean(target))
    read = dict.fromkeys(_paths(integration.map[target]))
    lines = [f"{path.text}: {_shown(_found(path, record))}" for path in read]
    return Text(clean("\n".join(lines) or _shown(integration.map[target])))


def _found(path: JsonPath, record: Any) -> Any:
    return path.first(record) if path.definite else path.values(record)


def _paths(expression: Any) -> Iterator[JsonPath]:
    for node in sources(parse_value(expression)):
        if isinstance(node, Search):
            yield node.path
        else:
            steps = tuple(takewhile(lambda step: not isinstance(step, Slice), node.steps))
            text = "".join(_step(step) for step in steps).removeprefix(".")
            yield JsonPath(text, steps)  # type: ignore[arg-type]  # slices are left out


def _step(step: Any) -> str:
    if isinstance(step, str):
        return f".{step}"
    return f"[{step}]" if isinstance(step, int) else str(step.value)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _failed(record: Judged, target: str) -> bool:
    return any(each.field == target and each.rule == "map" for each in record.problems)


def _verdict(record: Judged, target: str, ruled: set[str]) -> Text:
    reasons = [each.reason for each in record.problems if each.field == target]
    if reasons:
        return _wrong("\n".join(reasons))
    doubts = [f"warning: {each.reason}" for each in record.warnings if each.field == target]
    if doubts:
        return Text(clean("\n".join(doubts)), style="yellow")
    return Text("ok" if target in ruled else "", style="green")


def _wrong(reason: str) -> Text:
    return Text(clean(reason), style="red")


def summary(sample: Sample, records: list[Judged]) -> str:
    """Return how many records came and what became of them."""
    if not records:
        return f"No records came ({sample.fetched} fetched, {sample.filtered} filtered out)."
    rejected = sum(bool(record.problems) for record in records)
    total = "" if sample.claimed is None else f" of {sample.claimed:,}"
    noun = "record" if len(records) == 1 and not total else "records"
    return (
        f"{len(records)}{total} {noun}: {len(records) - rejected} accepted, {rejected} rejected. "
        "Nothing was written."
    )


def entry(
    integration: Integration, sample: Sample, records: list[Judged], changed: Changes | None
) -> dict[str, Any]:
    """Return all of it as JSON values."""
    return {
        "integration": integration.name,
        "pages": sample.pages,
        "stop_reason": sample.stop_reason,
        "claimed": sample.claimed,
        "fetched": sample.fetched,
        "filtered": sample.filtered,
        "rejected": sum(bool(record.problems) for record in records),
        "records": [
            {
                "source": record.source,
                "mapped": record.mapped,
                "problems": [each.told() for each in record.problems],
                "warnings": [each.told() for each in record.warnings],
            }
            for record in records
        ],
        "changes": None if changed is None else asdict(changed),
    }


def changes_table(changed: Changes) -> Table:
    """Return what is different since the last run: expressions, rules, values of the sample."""
    title = Text(f"Changed since the run of {changed.since}", style="bold yellow")
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for heading in ("What", "Then", "Now"):
        table.add_column(heading, overflow="fold")
    for change in changed.targets:
        _add(table, f"map {change.name}", change)
    for change in changed.rules:
        _add(table, f"rule for {change.name}" if change.name else "rule", change)
    for value in changed.values:
        _add(table, f"record {value.record}: {value.name}", value)
    return table


def _add(table: Table, what: str, change: Change) -> None:
    table.add_row(
        clean(what), *(Text(clean(_told(each))) for each in (change.before, change.after))
    )


def _told(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else _shown(value)
