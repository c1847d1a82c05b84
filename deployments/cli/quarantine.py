"""See the rejected records, and why each was rejected."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from astrio.blocks.errors import AstrioError
from astrio.deployments.cli.output import clean, print_json, say, show
from astrio.deployments.cli.streams import Stream, chosen
from astrio.tasks.destinations.opening import quarantine_records, quarantine_rows
from astrio.tasks.destinations.quarantined import QuarantineRow

app = typer.Typer(help="See the rejected records, and why each was rejected.", no_args_is_help=True)
Named = Annotated[str | None, typer.Argument(metavar="[FILE|NAME]", help="Only this integration.")]
State = Annotated[
    Literal["open", "resolved", "discarded", "all"], typer.Option(help="Which records.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(named: Named = None, state: State = "open", as_json: AsJson = False) -> None:
    """List the rejected records: which, why, since when, how often seen.

    With --json it is an array of objects.
    """
    rows = [row for stream in chosen(named) for row in _rows(stream, state, named is not None)]
    if as_json:
        print_json(rows)
    elif not rows:
        say("The quarantine is empty." if state == "open" else f"No records are {state}.")
    else:
        show(_table(rows))
        say(f"{len(rows)} records. `astrio quarantine show NAME --id ID` shows one in full.")


@app.command("show")
def show_(
    named: Annotated[str, typer.Argument(metavar="FILE|NAME", help="The integration.")],
    ids: Annotated[
        list[int] | None, typer.Option("--id", help="A row's id; may be given several times.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show rejected records in full: the source record and every problem.

    Without --id, all open ones.
    """
    found: list[dict[str, Any]] = []
    for stream in chosen(named):
        wanted = ids or [row["id"] for row in _rows(stream, "open", True)]
        found += _records(stream, wanted)
    if as_json:
        print_json({"records": found})
        return
    for row in found:
        _explain(row)
    if not found:
        say("The quarantine is empty.")


def _rows(stream: Stream, state: str, strict: bool) -> list[QuarantineRow]:
    wanted = None if state == "all" else state
    try:
        return stream.ask(lambda each: quarantine_rows(each.push, each.name, wanted))
    except AstrioError as error:
        if strict:
            raise
        say(f"{stream.name} cannot be looked into: {error.message}")
        return []


def _records(stream: Stream, numbers: list[int]) -> list[dict[str, Any]]:
    return stream.ask(lambda each: quarantine_records(each.push, each.name, numbers))


def _table(rows: list[QuarantineRow]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for heading in ("Id", "Integration", "Key", "Field", "Reason", "Seen"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        seen = f"{row['seen']}x since {row['first_seen'][:16].replace('T', ' ')}"
        cells = (row["id"], row["integration"], row["key"], row["field"], row["reason"], seen)
        table.add_row(*(clean("" if cell is None else cell) for cell in cells))
    return table


def _explain(row: dict[str, Any]) -> None:
    show(f"Record {row['id']} of {row['integration']}, key {row['key'] or 'unknown'}")
    for problem in row["problems"]:
        show(f"  {problem['field'] or 'the record'} ({problem['rule']}): {problem['reason']}")
    text = json.dumps(row["record"], indent=2, ensure_ascii=False)
    show("\n".join(f"  {line}" for line in text.splitlines()))
