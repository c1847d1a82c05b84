"""Show what has run: the last report, the watermark, the quarantine, who is at work."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from astrio.blocks.errors import AstrioError
from astrio.deployments.cli.outbox_status import outbox_facts, remarks, targets_table
from astrio.deployments.cli.output import clean, print_json, say, show
from astrio.deployments.cli.streams import Stream, chosen
from astrio.tasks.destinations.opening import destination_reference, stream_status
from astrio.tasks.destinations.quarantined import StreamStatus

app = typer.Typer()


@app.command()
def status(
    named: Annotated[
        str | None, typer.Argument(metavar="[FILE|NAME]", help="Only this integration.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what has run: the last report, the watermark, the quarantine, who is at work."""
    streams = chosen(named)
    entries = [_entry(stream, strict=named is not None) for stream in streams]
    outbox = outbox_facts() if named is None else None
    if as_json:
        print_json({"streams": entries} | ({"deliveries": outbox} if outbox else {}))
    elif not entries and not outbox:
        say("Nothing has run yet. `astrio init` writes an example, `astrio run FILE` runs it.")
    else:
        _show(entries, streams)
        if outbox:
            show(targets_table(outbox))
            for line in remarks(outbox):
                say(line)


def _show(entries: list[dict[str, Any]], streams: list[Stream]) -> None:
    if entries:
        show(_table(entries, [stream.called for stream in streams]))
    for entry in entries:
        _remark(entry)


def _entry(stream: Stream, *, strict: bool) -> dict[str, Any]:
    """Return everything about a stream; with `strict`, a destination that cannot be read raises."""
    known, integration = stream.known, stream.integration
    entry: dict[str, Any] = {
        "integration": stream.name,
        "file": str(stream.file) if stream.file else None,
        "destination": known.destination if known else None,
        "table": known.table_name if known else integration and integration.push.table,
        "state": known.last_state if known else None,
        "last_run_at": known.last_run_at if known else None,
    }
    try:
        found = stream.ask(lambda each: stream_status(each.push, each.name))
        reference = stream.ask(lambda each: destination_reference(each.push))
    except AstrioError as error:
        if strict:
            raise
        unseen = dict.fromkeys(_facts(StreamStatus())) | {"not_backfilled": [], "parts": []}
        return entry | unseen | {"problem": error.message}
    last = found.last_run or {}
    entry["destination"] = reference
    entry["state"] = last.get("state", entry["state"])
    entry["last_run_at"] = last.get("finished_at") or last.get("started_at") or entry["last_run_at"]
    return entry | _facts(found) | {"problem": stream.problem or None}


def _facts(found: StreamStatus) -> dict[str, Any]:
    return {
        "watermark": found.watermark,
        "unfinished": found.unfinished,
        "quarantined": found.quarantined,
        "running": found.holder,
        "not_backfilled": list(found.unfilled),
        "parts": list(found.parts),
        "last_run": found.last_run,
    }


def _table(entries: list[dict[str, Any]], called: list[str]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for heading in (
        "Integration",
        "State",
        "Last run (UTC)",
        "Written",
        "Quarantined",
        "Watermark",
    ):
        table.add_column(heading, overflow="fold")
    names = [entry["integration"] for entry in entries]
    for entry, name in zip(entries, called, strict=True):
        several = names.count(entry["integration"]) > 1
        into = f" ({name or entry['table']})" if several else ""
        records = (entry["last_run"] or {}).get("records") or {}
        table.add_row(
            clean(f"{entry['integration']}{into}"),
            _state(entry),
            clean((entry["last_run_at"] or "")[:19].replace("T", " ")),
            str(records.get("written", "")),
            "?" if entry["quarantined"] is None else str(entry["quarantined"]),
            clean(entry["watermark"] or ""),
        )
    return table


def _state(entry: dict[str, Any]) -> str:
    if entry["running"]:
        return "running"
    return clean(entry["state"] or "never run").replace("_", " ")


def _remark(entry: dict[str, Any]) -> None:
    name = entry["integration"]
    if entry["running"]:
        say(f"{name} is running: {entry['running']}")
    elif entry["unfinished"]:
        say(f"{name} ended in the middle; the next run goes on from there.")
    for part in entry["parts"]:
        _tell_part(name, part)
    if entry["quarantined"]:
        say(f"{name}: `astrio quarantine list {name}` shows why records were rejected.")
    for column in entry["not_backfilled"]:
        since = column["since"][:19].replace("T", " ")
        say(
            f"{name}: the column {column['column']} was added later and is not backfilled before "
            f"{since} UTC; a run with --full-refresh fills it, where rows are upserted."
        )
    if error := (entry["last_run"] or {}).get("error"):
        told = [text.rstrip(". ") for text in (error.get("message"), error.get("advice")) if text]
        say(f"{name}: the last run failed: {'. '.join(told)}.")
    if entry["problem"]:
        unseen = entry["quarantined"] is None
        say(f"{name}{' cannot be looked into' * unseen}: {entry['problem']}")


def _tell_part(name: str, part: dict[str, Any]) -> None:
    at = "" if part["watermark"] is None else f"watermark {part['watermark']}"
    work = f"running: {part['running']}" if part["running"] else ""
    left = "ended in the middle" if part["unfinished"] and not work else ""
    if words := ", ".join(filter(None, [work, left, at])):
        say(f"{name}, {part['part']}: {words}")
