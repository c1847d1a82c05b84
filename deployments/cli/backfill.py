"""Read a range again, in chunks and side by side; the live watermark stays where it is.

Exit code 0: done (rejects below the threshold included); 1: some chunks failed, and the same
command goes on with them; 2: the file, a variable or the command line is wrong, and nothing was
sent; 130: stopped by Ctrl-C.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import ValidationError

from astrio.blocks.errors import ConfigurationError
from astrio.deployments.cli.attempting import attempt, finish
from astrio.deployments.cli.files import find_integration, load
from astrio.deployments.cli.output import say
from astrio.deployments.remembering import remember_run
from astrio.deployments.running import backfill_flow, quieten_prefect
from astrio.flows.backfilling import chunks_of
from astrio.tasks.options import BackfillOptions

app = typer.Typer()


@app.command()
def backfill(  # noqa: PLR0913, PLR0917 (one parameter for each flag)
    named: Annotated[str, typer.Argument(metavar="FILE|NAME", help="The integration.")],
    since: Annotated[
        str | None, typer.Option(help="Lower bound of the range; else incremental.start.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Upper bound of the range; else now.")] = None,
    chunk: Annotated[
        str | None,
        typer.Option(help="How wide a chunk is: 1d (if left out), 12h, 10000 for counting IDs."),
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, max=64, help="Chunks that are read at once.")] = 4,
    columns: Annotated[
        str | None,
        typer.Option(help="Write only these columns (a,b) of rows that are there; add no row."),
    ] = None,
    partition: Annotated[
        str | None, typer.Option(help="Only this partition, e.g. store=a.")
    ] = None,
    pool: Annotated[
        str | None, typer.Option(help="Work pool whose workers read the chunks.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Read chunks anew that are done already.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show Prefect's log too.")] = False,
) -> None:
    """Read a range again, in chunks and side by side; the live watermark stays where it is.

    Stopped in the middle, the same command goes on: chunks that are done are not read again.
    """
    integration = load(named)
    wanted = tuple(name.strip() for name in (columns or "").split(",") if name.strip())
    try:
        options = BackfillOptions(
            since=since,
            until=until,
            chunk=chunk,
            parallel=parallel,
            columns=wanted,
            partition=partition,
            pool=pool,
            again=again,
        )
    except ValidationError as error:
        raise ConfigurationError(f"Not a backfill: {error}") from None
    chunks_of(integration, options, datetime.now(UTC))  # a mistake is told before anything starts
    if not verbose:
        quieten_prefect()
    result = attempt(integration.name, lambda: backfill_flow(integration, options, bar=not as_json))
    if warning := remember_run(find_integration(named), integration, result.report):
        say(f"warning: {warning}")
    finish(result, as_json=as_json)
