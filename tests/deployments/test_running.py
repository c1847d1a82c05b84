"""Running a flow in this process: the result, the terminal's bar, a quiet Prefect."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest
from tests.flows.api import cursor_api, integration, record
from tests.flows.backfills import Windowed, sqlite_url
from tests.support.server import answer, serve

from astrio.blocks.errors import CredentialsError, LeaseHeldError
from astrio.deployments.running import backfill_flow, quieten_prefect, run_flow
from astrio.tasks.destinations.base import RunIdentity
from astrio.tasks.destinations.opening import open_destination
from astrio.tasks.options import BackfillOptions, RunOptions

LEVEL = "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("prefect_api", "home")
def test_a_run_that_is_done_has_a_report_and_no_error(tmp_path: Path) -> None:
    with cursor_api([record(number) for number in range(12)]) as server:
        result = run_flow(integration(server.url, tmp_path / "items.db"), RunOptions(), bar=False)
    assert result.error is None
    assert (result.report.state, result.report.records.written) == ("completed", 12)


@pytest.mark.usefixtures("prefect_api", "home")
def test_a_run_that_failed_has_its_report_and_the_error(tmp_path: Path) -> None:
    with serve({"/items": lambda _: answer({}, 403)}) as server:
        result = run_flow(integration(server.url, tmp_path / "items.db"), RunOptions(), bar=False)
    assert isinstance(result.error, CredentialsError)
    assert result.report.state == "failed"
    assert result.report.error is not None
    assert result.report.error.kind == "credentials"


@pytest.mark.usefixtures("prefect_api", "home")
def test_a_run_that_is_refused_the_stream_has_a_report_too(tmp_path: Path) -> None:
    with cursor_api([record(1)]) as server:
        plan = integration(server.url, tmp_path / "items.db")
        holder = open_destination(plan.push, plan.name)
        holder.open(RunIdentity("someone", plan.name))
        try:
            result = run_flow(plan, RunOptions(), bar=False)
        finally:
            holder.close()
    assert isinstance(result.error, LeaseHeldError)
    assert (result.report.state, result.report.records.fetched) == ("failed", 0)
    assert server.requests == []


@pytest.mark.usefixtures("prefect_api", "home")
def test_a_terminal_shows_the_pages_and_rejects_while_the_run_is_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    with cursor_api([record(number) for number in range(30)]) as server:
        plan = integration(server.url, tmp_path / "items.db", name="shop-items")
        monkeypatch.setattr(sys, "stderr", terminal)
        run_flow(plan, RunOptions(), bar=True)
    assert "shop-items" in terminal.getvalue()
    assert "3 pages" in terminal.getvalue()
    assert "0 rejected" in terminal.getvalue()


@pytest.mark.usefixtures("prefect_api", "home")
def test_a_terminal_shows_how_many_chunks_of_a_backfill_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    options = BackfillOptions(since="2026-01-02", until="2026-01-04")
    with Windowed().serving() as api:
        result = backfill_flow(api.integration(sqlite_url(tmp_path)), options, bar=True)
    assert result.report.records.written == 16
    assert "2/2" in terminal.getvalue()
    assert "parts, 16 records" in terminal.getvalue()


def test_prefects_log_stays_off_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LEVEL, raising=False)
    quieten_prefect()
    assert os.environ[LEVEL] == "CRITICAL"
    monkeypatch.delenv(LEVEL)


def test_a_level_that_the_user_set_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LEVEL, "DEBUG")
    quieten_prefect()
    assert os.environ[LEVEL] == "DEBUG"
