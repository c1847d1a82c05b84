"""Running an integration's flow in this process, with or without a bar on the terminal."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed

from astrio.blocks.errors import AstrioError, ServerUnavailableError
from astrio.deployments.cli.output import console
from astrio.flows.integration import Integration
from astrio.tasks.options import BackfillOptions, RunOptions
from astrio.tasks.progress import Progress as PageProgress
from astrio.tasks.progress import Watcher, watching
from astrio.tasks.report import RunReport

TAG = "astrio"
"""Carried by every run and every deployment."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended.

    Attributes:
        report: what became of the records.
        error: why it failed; None when it was cancelled, or is done.
        page: the run's page in the Prefect UI.
    """

    report: RunReport
    error: AstrioError | None = None
    page: str | None = None


def quieten_prefect() -> None:
    """Keep Prefect's log lines off the terminal, unless the user set a level.

    They still reach the run's page in the Prefect UI. Must come before Prefect is imported.
    """
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")


def run_flow(
    integration: Integration,
    options: RunOptions,
    *,
    bar: bool,
    find: Callable[[str], Integration | None] = lambda _: None,
) -> RunResult:
    """Run the flow `sync` under the Prefect server now in effect.

    Args:
        integration: what to run.
        options: what the run does differently from the file.
        bar: show a bar on a terminal.
        find: returns the integrations that take its records over, by their names.

    Raises:
        AstrioError: the run could not even begin, so there is no report.
    """

    async def sync() -> RunReport:
        from astrio.flows.chaining import integrations_nearby
        from astrio.flows.sync import sync

        with integrations_nearby(find):
            return await sync(integration, options)

    return _watched(integration, sync, bar=bar)


def replay_flow(
    integration: Integration, ids: Sequence[int], *, wait: bool, bar: bool
) -> RunResult:
    """Run the flow `replay` under the Prefect server now in effect; raises as `run_flow`."""

    def replay() -> Coroutine[Any, Any, RunReport]:
        from astrio.flows.replay import replay

        return replay(integration, tuple(ids), wait)

    return _watched(integration, replay, bar=bar)


def backfill_flow(integration: Integration, options: BackfillOptions, *, bar: bool) -> RunResult:
    """Run the flow `backfill` under the Prefect server now in effect; raises as `run_flow`."""

    def backfill() -> Coroutine[Any, Any, RunReport]:
        from astrio.flows.backfill import backfill

        return backfill(integration, options)

    return _watched(integration, backfill, bar=bar)


def _watched(
    integration: Integration, flow: Callable[[], Coroutine[Any, Any, RunReport]], *, bar: bool
) -> RunResult:
    from prefect import tags
    from prefect.utilities.urls import url_for

    reports: list[RunReport] = []
    error: AstrioError | None = None
    with _bar(integration.name, shown=bar) as watcher, watching(_collect(reports, watcher)):
        try:
            with tags(*integration.tags, TAG):
                asyncio.run(flow())
        except AstrioError as failure:
            error = failure
        except KeyboardInterrupt:
            if not reports:
                raise
        except Exception as failure:  # noqa: BLE001 (raised again unless it is the server's)
            error = _of_the_server(failure, reports)
    if not reports:
        raise error or AstrioError("The run ended without a report.")
    page = url_for("flow-run", obj_id=reports[-1].flow_run) if reports[-1].flow_run else None
    return RunResult(reports[-1], error, page)


def _of_the_server(failure: Exception, reports: list[RunReport]) -> AstrioError | None:
    """Return what to tell where Prefect's server has failed the run; None: the run is done.

    Raises:
        Exception: the failure itself, if it is none of the server's.
    """
    from astrio.tasks.unexpected import unexpected

    error = unexpected(failure)
    if not isinstance(error, ServerUnavailableError):
        raise failure
    if not reports or reports[-1].error is not None:
        return error
    reports[-1].warnings.append(f"The run is done, but Prefect does not know it. {error.message}")
    return None


def _collect(reports: list[RunReport], watcher: Watcher) -> Watcher:
    def collect(news: PageProgress | RunReport) -> None:
        if isinstance(news, RunReport):
            reports.append(news)
        watcher(news)

    return collect


@contextmanager
def _bar(name: str, *, shown: bool) -> Iterator[Callable[[PageProgress | RunReport], None]]:
    """Show pages, records a second and rejects on a terminal; nothing elsewhere."""
    if not shown or not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[detail]}"),
        Elapsed(),
    )
    with Progress(*columns, console=console(error=True), transient=True) as progress:
        bar = progress.add_task(name, total=None, detail="")

        def update(news: PageProgress | RunReport) -> None:
            if isinstance(news, PageProgress):
                if news.parts is not None:
                    progress.update(bar, **_of_parts(news, news.parts))
                    return
                speed = progress.tasks[0].speed
                rate = f"{speed:,.0f} records/s, " if speed else ""
                progress.update(
                    bar,
                    completed=news.fetched,
                    total=news.claimed,
                    detail=f"{news.pages:,} pages, {rate}{news.rejected:,} rejected",
                )

        yield update


def _of_parts(news: PageProgress, parts: tuple[int, int]) -> dict[str, Any]:
    rejected = f", {news.rejected:,} rejected" if news.rejected else ""
    detail = f"parts, {news.fetched:,} records{rejected}"
    return {"completed": parts[0], "total": parts[1], "detail": detail}
