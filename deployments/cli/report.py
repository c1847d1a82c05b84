"""The run report as a readable table."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from astrio.deployments.cli.difference import changed_rows, planned_requests
from astrio.deployments.cli.output import clean, say, show
from astrio.flows.summary import facts, headline
from astrio.tasks.difference import PlannedRequest
from astrio.tasks.report import RunReport

_COLOURS = {"completed": "green", "completed_with_rejects": "yellow"}


def show_report(report: RunReport, *, page: str | None = None) -> None:
    """Print the balance, the facts, the warnings and the error of a run, and where its page is."""
    show(Text(clean(f"{report.integration}: {headline(report)}"), style=_style(report)))
    table = Table(show_header=False, box=None, padding=(0, 2))
    for label, text in facts(report):
        table.add_row(Text(label, style="dim"), clean(text))
    show(table)
    for difference in (report.difference, *(each.difference for each in report.destinations)):
        if difference is not None and difference.examples:
            requests = [each for each in difference.examples if isinstance(each, PlannedRequest)]
            show(planned_requests(requests) if requests else changed_rows(difference))
    if page is not None:  # outside of the table, which would cut it off
        show(Text.assemble("  ", (f"{'In the UI':23}", "dim"), clean(page)))
    for warning in report.warnings:
        say(f"warning: {warning}")
    _explain(report)


def _explain(report: RunReport) -> None:
    if report.error is not None:
        say(Text.assemble(("Error: ", "bold red"), clean(report.error.message)))
        for line in (report.error.request, report.error.advice):
            if line:
                say(f"  {line}")
    elif _lost(report) and report.dry_run:
        say("  See why: astrio preview shows records with the rules that they break.")
    elif _lost(report):
        say(f"  See why: astrio quarantine list {report.integration}")


def _style(report: RunReport) -> str:
    return f"bold {_COLOURS.get(report.state, 'red')}"


def _lost(report: RunReport) -> int:
    return report.records.rejected + report.records.failed
