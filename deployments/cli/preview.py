"""Show the first records: source, mapped values and rules side by side; nothing is written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from itertools import takewhile
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from astrio.deployments.cli.files import address, load
from astrio.deployments.cli.output import clean, print_json, show, waiting
from astrio.flows.integration import Integration
from astrio.flows.sampling import Judged, Sample, judge, read_sample
from astrio.tasks.mapping.parser import parse_value
from astrio.tasks.mapping.syntax import Search, Slice, sources
from astrio.tasks.paths import JsonPath

app = typer.Typer()
_LONGEST = 60


@app.command()
def preview(
    file: Annotated[str, typer.Argument(help="Integration file, or the name of one.")],
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many records.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the first records: source, mapped values and rules side by side; nothing is written."""
    integration = load(file)
    with waiting(f"Asking {address(integration)} …"):
        sample = asyncio.run(read_sample(integration, limit))
    records = judge(integration, sample)
    if as_json:
        print_json(_entry(integration, sample, records))
        return
    for number, record in enumerate(records, start=1):
        show(_table(integration, number, record))
    show(_summary(sample, records))


def _table(integration: Integration, number: int, record: Judged) -> Table:
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


def _summary(sample: Sample, records: list[Judged]) -> str:
    if not records:
        return f"No records came ({sample.fetched} fetched, {sample.filtered} filtered out)."
    rejected = sum(bool(record.problems) for record in records)
    total = "" if sample.claimed is None else f" of {sample.claimed:,}"
    return (
        f"{len(records)}{total} records: {len(records) - rejected} accepted, {rejected} rejected. "
        "Nothing was written."
    )


def _entry(integration: Integration, sample: Sample, records: list[Judged]) -> dict[str, Any]:
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
    }
