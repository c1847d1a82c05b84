"""Run an integration now, as a Prefect flow.

Exit code 0: done (rejects below the threshold included); 1: the run failed; 2: the file, a
variable or the command line is wrong, and nothing was sent; 130: stopped by Ctrl-C.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from astrio.deployments.cli.attempting import attempt, finish
from astrio.deployments.cli.files import find_integration, load
from astrio.deployments.cli.nearby import find_beside
from astrio.deployments.cli.output import say
from astrio.deployments.remembering import remember_run
from astrio.deployments.running import quieten_prefect, run_flow
from astrio.flows.integration import Integration
from astrio.flows.partitions import as_partition
from astrio.tasks.options import RunOptions
from astrio.tasks.report import RunReport

app = typer.Typer()


@app.command()
def run(  # noqa: PLR0913, PLR0917 (one parameter for each flag)
    file: Annotated[str, typer.Argument(help="Integration file, or the name of one.")],
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Read everything again, then set the watermark.")
    ] = False,
    since: Annotated[
        str | None, typer.Option(help="Lower bound of the window; the watermark stays.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Upper bound of the window; the watermark stays.")
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait while another run of this stream is at work.")
    ] = False,
    partition: Annotated[
        str | None, typer.Option(help="Only this partition, e.g. store=a; else all of them.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what the run would change; write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show Prefect's log too.")] = False,
) -> None:
    """Run an integration now, as a Prefect flow."""
    integration = load(file)
    if not verbose:
        quieten_prefect()
    options = RunOptions(
        full_refresh=full_refresh,
        since=since,
        until=until,
        wait=wait,
        partition=partition,
        dry_run=dry_run,
    )
    if partition is not None:
        as_partition(integration, partition)  # a mistake is told before anything starts
    path = find_integration(file)
    result = attempt(
        integration.name,
        lambda: run_flow(integration, options, bar=not as_json, find=partial(_beside, path)),
    )
    result.report.dry_run = dry_run
    for handed in result.report.handed_on:
        if handed.state != "waiting" and (there := find_beside(path, handed.integration)):
            remember_run(*there, RunReport(integration=handed.integration, state=handed.state))
    if not dry_run and (warning := remember_run(path, integration, result.report)):
        say(f"warning: {warning}")
    finish(result, as_json=as_json)


def _beside(file: Path, name: str) -> Integration | None:
    found = find_beside(file, name)
    return None if found is None else found[1]
