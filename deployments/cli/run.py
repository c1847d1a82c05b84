"""Run an integration now, as a Prefect flow.

Exit code 0: done (rejects below the threshold included); 1: the run failed; 2: the file, a
variable or the command line is wrong, and nothing was sent; 130: stopped by Ctrl-C.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from astrio.blocks.errors import AstrioError
from astrio.deployments.cli.files import find_integration, load
from astrio.deployments.cli.output import INTERRUPTED, print_json, say
from astrio.deployments.cli.report import show_report
from astrio.deployments.remembering import remember_run
from astrio.deployments.running import RunResult, quieten_prefect, run_flow
from astrio.deployments.server import is_lasting, prefect_server
from astrio.flows.integration import Integration
from astrio.tasks.options import RunOptions
from astrio.tasks.report import ErrorReport, RunReport

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
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show Prefect's log too.")] = False,
) -> None:
    """Run an integration now, as a Prefect flow."""
    integration = load(file)
    if not verbose:
        quieten_prefect()
    options = RunOptions(full_refresh=full_refresh, since=since, until=until, wait=wait)
    result = _attempt(integration, options, bar=not as_json)
    if warning := remember_run(find_integration(file), integration, result.report):
        say(f"warning: {warning}")
    _finish(result, as_json=as_json)


def _attempt(integration: Integration, options: RunOptions, *, bar: bool) -> RunResult:
    """Run the flow; a run that could not even begin has a report as well."""
    try:
        with prefect_server(say) as url:
            result = run_flow(integration, options, bar=bar)
            return result if is_lasting(url) else replace(result, page=None)
    except AstrioError as error:
        return RunResult(_report(integration, error), error)
    except KeyboardInterrupt:
        stopped = AstrioError("Stopped by Ctrl-C before it began.")
        return RunResult(_report(integration, stopped, state="cancelled"))


def _report(integration: Integration, error: AstrioError, *, state: str = "failed") -> RunReport:
    return RunReport(
        integration=integration.name,
        state=state,
        stop_reason="error",
        error=ErrorReport.of(error),
    )


def _finish(result: RunResult, *, as_json: bool) -> None:
    if as_json:
        print_json(result.report.model_dump(mode="json"))
    else:
        show_report(result.report, page=result.page)
    if result.report.state == "cancelled":
        raise typer.Exit(INTERRUPTED)
    if result.error is not None:
        raise typer.Exit(result.error.exit_code)
