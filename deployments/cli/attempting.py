"""Running a flow for a command: there is a report whatever happens, and an exit code by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import typer

from astrio.blocks.errors import AstrioError
from astrio.deployments.cli.output import INTERRUPTED, print_json, say
from astrio.deployments.cli.report import show_report
from astrio.deployments.running import RunResult
from astrio.deployments.server import is_lasting, prefect_server
from astrio.tasks.collecting import starting
from astrio.tasks.report import ErrorReport, RunReport

FAILED: Final = 1


def attempt(name: str, run: Callable[[], RunResult]) -> RunResult:
    """Run a flow of the integration `name`; one that could not even begin has a report as well."""
    try:
        with starting(), prefect_server(say) as url:
            result = run()
            return result if is_lasting(url) else replace(result, page=None)
    except AstrioError as error:
        return RunResult(_report(name, error), error)
    except KeyboardInterrupt:
        stopped = AstrioError("Stopped by Ctrl-C before it began.")
        return RunResult(_report(name, stopped, state="cancelled"))


def finish(result: RunResult, *, as_json: bool) -> None:
    """Print the report, and end with the contract's exit code.

    Raises:
        typer.Exit: the run failed, or was cancelled.
    """
    if as_json:
        print_json(result.report.model_dump(mode="json"))
    else:
        show_report(result.report, page=result.page)
    if result.report.state == "cancelled":
        raise typer.Exit(INTERRUPTED)
    if result.error is not None:
        raise typer.Exit(result.error.exit_code)
    if any(each.state == "failed" for each in result.report.handed_on):
        raise typer.Exit(FAILED)


def _report(name: str, error: AstrioError, *, state: str = "failed") -> RunReport:
    return RunReport(
        integration=name, state=state, stop_reason="error", error=ErrorReport.of(error)
    )
