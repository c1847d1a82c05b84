"""Ask the API for a page or two and show what came: status, records, fields, pagination."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.table import Table

from astrio.blocks.redaction import redact
from astrio.deployments.cli.files import address, load
from astrio.deployments.cli.output import clean, print_json, show, waiting
from astrio.flows.integration import Integration
from astrio.flows.sampling import Sample, read_sample
from astrio.tasks.detection.proof import Detection
from astrio.tasks.paginate.none import NoPagination

app = typer.Typer()
_DEEPEST = 3
_MOST_FIELDS = 100


@app.command("test")
def ask(
    file: Annotated[str, typer.Argument(help="Integration file, or the name of one.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Ask the API for a page or two and show what came: status, records, fields, pagination.

    Where the file names no paginator, one is proposed if a second page proves it. Nothing is
    written anywhere.
    """
    integration = load(file)
    with waiting(f"Asking {address(integration)} …"):
        sample = asyncio.run(read_sample(integration, 1, second_page=True))
    record = sample.records[0] if sample.records else {}
    fields = list(_fields(record))[:_MOST_FIELDS]
    if as_json:
        print_json(_entry(integration, sample, fields))
        return
    show(redact(_asked(integration, sample)))
    if sample.status:
        show(f"  {sample.status} in {sample.milliseconds} ms")
    show(f"  {_found(sample)}")
    for line in _pages(integration, sample):
        show(line)
    if fields:
        table = Table("Field of the first record", "Type", box=None, padding=(0, 2))
        for name, kind in fields:
            table.add_row(clean(name), kind)
        show(table)


def _asked(integration: Integration, sample: Sample) -> str:
    """Return what was asked: a request, a function of the project, or the inbox."""
    source = integration.source
    if source.webhook is not None:
        return "the latest events in the inbox"
    if source.event is not None:
        return f"what waits of {' and '.join(source.senders)}"
    return f"python {source.python}" if source.python else f"{source.request.method} {sample.url}"


def _found(sample: Sample) -> str:
    total = "" if sample.claimed is None else f" of {sample.claimed:,}"
    follow = f"the source ends here ({sample.stop_reason})" if sample.stop_reason else "more follow"
    records = "record" if sample.fetched == 1 and not total else "records"
    filtered = f", {sample.filtered:,} of them filtered out" if sample.filtered else ""
    pages = "on the first page" if sample.pages == 1 else f"on {sample.pages} pages"
    return f"{sample.fetched:,}{total} {records} {pages}{filtered}; {follow}"


def _pages(integration: Integration, sample: Sample) -> Iterator[str]:
    """Yield what is known about the pages."""
    detection = sample.detection
    if detection is None:
        return
    if detection.proposal is not None:
        yield f"  The file names no paginator. Proposed: paginate: {_flow(detection.proposal)}"
    elif isinstance(integration.source.paginate, NoPagination):
        yield "  The file names no paginator, and none is proposed:"
    else:
        yield "  Pagination:"
    yield from (f"    - {clean(each)}" for each in detection.evidence)


def _flow(settings: dict[str, Any]) -> str:
    """Return settings as YAML's flow form, for pasting."""
    told = (f"{key}: {_quoted(value)}" for key, value in settings.items())
    return "{" + ", ".join(told) + "}"


def _quoted(value: Any) -> str:
    text = str(value)
    return f'"{text}"' if any(mark in text for mark in "[]{},'@#: ") else text


def _fields(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (dotted path, type) of each field of a record, objects opened up."""
    if isinstance(value, dict) and path.count(".") < _DEEPEST:
        for name, below in value.items():
            yield from _fields(below, f"{path}.{name}" if path else str(name))
    elif path:
        yield path, _kind(value)


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return f"list of {_kind(value[0])}s" if value else "empty list"
    names = {bool: "boolean", int: "integer", str: "text", dict: "object", type(None): "null"}
    return names.get(type(value), "number")


def _entry(
    integration: Integration, sample: Sample, fields: list[tuple[str, str]]
) -> dict[str, Any]:
    return {
        "integration": integration.name,
        "request": _asked(integration, sample),
        "status": sample.status,
        "milliseconds": sample.milliseconds,
        "records": sample.fetched,
        "filtered": sample.filtered,
        "claimed": sample.claimed,
        "stop_reason": sample.stop_reason,
        "pagination": None if sample.detection is None else _told(sample.detection),
        "fields": [{"name": name, "type": kind} for name, kind in fields],
    }


def _told(detection: Detection) -> dict[str, Any]:
    return {
        "proposal": detection.proposal,
        "confidence": detection.confidence,
        "evidence": detection.evidence,
    }
