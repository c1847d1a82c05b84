"""See the rejected records and why, replay them, discard or export them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from astrio.blocks.errors import AstrioError, ConfigurationError
from astrio.deployments.cli.attempting import attempt, finish
from astrio.deployments.cli.output import clean, print_json, results, say, show
from astrio.deployments.cli.problems import told
from astrio.deployments.cli.streams import Stream, chosen, the_only, towards
from astrio.deployments.exporting import form_of, write_private, written
from astrio.deployments.running import quieten_prefect, replay_flow
from astrio.flows.replaying import as_replayed
from astrio.flows.variables import require_variables
from astrio.tasks.destinations.opening import (
    discard_records,
    quarantine_records,
    quarantine_rows,
    replayable,
)
from astrio.tasks.destinations.quarantined import QuarantineRow

app = typer.Typer(
    help="See the rejected records and why, replay them, discard or export them.",
    no_args_is_help=True,
)
Named = Annotated[str, typer.Argument(metavar="FILE|NAME", help="The integration.")]
Ids = Annotated[
    list[int] | None, typer.Option("--id", help="A row's id; may be given several times.")
]
To = Annotated[
    str | None,
    typer.Option(help="Which of several destinations: its table, or a part of its address."),
]
State = Annotated[
    Literal["open", "resolved", "discarded", "all"], typer.Option(help="Which records.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_AT_ONCE = 500


@app.command("list")
def list_(
    named: Annotated[
        str | None, typer.Argument(metavar="[FILE|NAME]", help="Only this integration.")
    ] = None,
    state: State = "open",
    to: To = None,
    as_json: AsJson = False,
) -> None:
    """List the rejected records: which, why, since when, how often seen.

    With --json it is an array of objects.
    """
    streams = towards(chosen(named), to)
    rows = [row for stream in streams for row in _rows(stream, state, named is not None)]
    if as_json:
        print_json(rows)
    elif not rows:
        say("The quarantine is empty." if state == "open" else f"No records are {state}.")
    else:
        called = {each.integration.push.table: each.called for each in streams if each.integration}
        show(_table(rows, called))
        count = f"{len(rows)} record{'s' * (len(rows) != 1)}"
        say(f"{count}. `astrio quarantine show NAME --id ID` shows one in full.")


@app.command("show")
def show_(named: Named, ids: Ids = None, to: To = None, as_json: AsJson = False) -> None:
    """Show rejected records in full: the source record and every problem.

    Without --id, all open ones.
    """
    streams = [the_only(named, to)] if ids else towards(chosen(named), to)
    found = [row for stream in streams for row in _in_full(stream, "open", ids)]
    if as_json:
        print_json({"records": found})
        return
    for row in found:
        _explain(row)
    if not found:
        say("The quarantine is empty.")


@app.command("replay")
def replay(  # noqa: PLR0913, PLR0917 (one parameter for each flag)
    named: Named,
    ids: Ids = None,
    to: To = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait while a run of this stream is at work.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show Prefect's log too.")] = False,
) -> None:
    """Run open records through today's mapping and rules into the destination.

    Without --id, all of them. Nothing is asked of the API; what fails again stays open.
    """
    stream = the_only(named, to)
    if stream.problem:
        raise ConfigurationError(
            f"{named} has mistakes, and records are replayed through its mapping and rules: "
            f"{stream.problem}",
            advice="Mend them first; `astrio check` lists them.",
        )
    stream.ask(lambda each: require_variables(as_replayed(each)))
    stream.ask(lambda each: replayable(each.push, each.name, ids or ()))
    if not verbose:
        quieten_prefect()
    assert stream.integration is not None  # it has been asked
    integration = stream.integration
    with chdir(stream.folder):
        result = attempt(
            stream.name, lambda: replay_flow(integration, ids or (), wait=wait, bar=not as_json)
        )
    finish(result, as_json=as_json)


@app.command("discard")
def discard(  # noqa: PLR0913, PLR0917 (one parameter for each flag)
    named: Named,
    ids: Ids = None,
    everything: Annotated[bool, typer.Option("--all", help="All open records.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Really all of them.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why; it is kept with them.")] = None,
    to: To = None,
    as_json: AsJson = False,
) -> None:
    """Close records that nobody will mend: those of --id, or --all."""
    if bool(ids) == everything:
        raise ConfigurationError(
            "Say which records to discard.", advice="Give --id ID (several times), or --all --yes."
        )
    if everything and not yes:
        raise ConfigurationError(
            "Nothing was discarded.", advice="If all open records shall go, add --yes."
        )
    gone = the_only(named, to).ask(
        lambda each: discard_records(each.push, each.name, ids or (), reason)
    )
    if as_json:
        print_json({"discarded": gone})
    else:
        say(f"{gone} record{'s' * (gone != 1)} discarded.")


@app.command("export")
def export(  # noqa: PLR0913, PLR0917 (one parameter for each flag)
    named: Named,
    out: Annotated[
        Path | None, typer.Option(help="A new file, readable by you alone; else it is printed.")
    ] = None,
    form: Annotated[
        Literal["jsonl", "csv", "json"] | None,
        typer.Option("--format", help="By the file's name if left out, else jsonl."),
    ] = None,
    state: State = "open",
    ids: Ids = None,
    to: To = None,
) -> None:
    """Write records with their problems, in clear text, for others to look at."""
    rows = list(_in_full(the_only(named, to), state, ids))
    locked = [row for row in rows if row["locked"]]
    if locked:
        raise ConfigurationError(
            f"Nothing was exported: {len(locked)} record{'s' * (len(locked) != 1)} cannot be read.",
            advice=f"Of record {locked[0]['id']}: {locked[0]['missing']}.",
        )
    pieces = written(rows, form or form_of(out))
    if out is None:
        results().writelines(pieces)
    else:
        write_private(out, pieces)
    say(f"{len(rows)} record{'s' * (len(rows) != 1)} exported{f' to {out}' if out else ''}.")
    if missing := sum(row["missing"] is not None for row in rows):
        say(f"warning: {missing} of them without the record itself: see `missing`.")
    if rows:
        say("warning: this is clear text, with whatever the records hold.")


def _rows(stream: Stream, state: str, strict: bool) -> list[QuarantineRow]:
    wanted = None if state == "all" else state
    try:
        rows = stream.ask(lambda each: quarantine_rows(each.push, each.name, wanted))
    except AstrioError as error:
        if strict:
            raise
        say(f"{stream.label} cannot be looked into: {error.message}")
        return []
    if stream.several and stream.integration is not None:
        for row in rows:
            row["destination"] = stream.integration.push.table
    return rows


def _in_full(stream: Stream, state: str, ids: Sequence[int] | None) -> Iterator[dict[str, Any]]:
    wanted = ids or [row["id"] for row in _rows(stream, state, True)]
    for start in range(0, len(wanted), _AT_ONCE):
        yield from _records(stream, wanted[start : start + _AT_ONCE])


def _records(stream: Stream, numbers: Sequence[int]) -> list[dict[str, Any]]:
    return stream.ask(lambda each: quarantine_records(each.push, each.name, numbers))


def _table(rows: list[QuarantineRow], called: Mapping[str, str]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for heading in ("Id", "Integration", "Key", "Field", "Reason", "Seen"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        seen = f"{row['seen']}x since {row['first_seen'][:16].replace('T', ' ')}"
        into = f" ({called[row['destination']]})" if "destination" in row else ""
        whose = f"{row['integration']}{into}"
        cells = (row["id"], whose, row["key"], row["field"], row["reason"], seen)
        table.add_row(*(clean("" if cell is None else cell) for cell in cells))
    return table


def _explain(row: dict[str, Any]) -> None:
    show(f"Record {row['id']} of {row['integration']}, key {row['key'] or 'unknown'}")
    for problem in row["problems"]:
        show("\n".join(f"  {line}" for line in told(problem)))
    if row["missing"] is not None:
        show(f"  The record is not here: {row['missing']}.")
        return
    text = json.dumps(row["record"], indent=2, ensure_ascii=False)
    show("\n".join(f"  {line}" for line in text.splitlines()))
