"""Resume points: what they hold, and which run may go on from one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.flows.api import integration

from astrio.blocks.errors import ConfigurationError
from astrio.flows.integration import Integration
from astrio.flows.resuming import ResumeMaker, ResumePoint, fingerprint, restore, usable
from astrio.tasks.account import Account
from astrio.tasks.batch import Page
from astrio.tasks.incremental import Window
from astrio.tasks.options import RunOptions
from astrio.tasks.report import Records, Requests, RunReport

NEXT = {"method": "GET", "url": "/items", "params": {"cursor": "10"}}
URL = "http://127.0.0.1:1"
PLAN = integration(URL, Path("items.db"))


def account() -> Account:
    return Account(
        report=RunReport(integration="items"),
        run_id="first",
        started=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        requests=lambda: Requests(sent=4, retried=1, p50_ms=10, p95_ms=20),
        cursor="2026-01-01",
    )


def point(plan: Integration = PLAN, stop: str | None = None, **options: Any) -> dict[str, Any]:
    """Return a resume point as the destination gives it back."""
    make = ResumeMaker(plan, RunOptions(**options), Window(start="2025", end="2026"))
    page = Page(3, resume=None if stop else NEXT, stop_reason=stop)
    made = make(page, account(), 3, Records(fetched=30, written=29, rejected=1))
    stored: dict[str, Any] = json.loads(json.dumps(made))
    return stored


def appending() -> Integration:
    push = PLAN.push.model_copy(update={"mode": "append"})
    return PLAN.model_copy(update={"push": push})


def changed(plan: Integration = PLAN) -> Integration:
    return plan.model_copy(update={"vars": {"shop": "another"}})


def test_a_resume_point_survives_being_stored() -> None:
    assert ResumePoint(**point()).to_json() == point()


def test_a_run_with_the_same_options_goes_on() -> None:
    found = usable(point(), PLAN, RunOptions())
    assert found is not None
    assert (found.request, found.pages, found.stop_reason) == (NEXT, 3, None)


def test_without_a_resume_point_there_is_nothing_to_go_on_from() -> None:
    assert usable(None, PLAN, RunOptions()) is None


def test_a_limited_run_starts_for_itself() -> None:
    assert usable(point(), PLAN, RunOptions(limit=5)) is None


@pytest.mark.parametrize(
    ("began", "now", "goes_on"),
    [
        ({"since": "2025"}, {"since": "2025"}, True),
        ({"since": "2025"}, {"since": "2024"}, False),
        ({"since": "2025"}, {}, False),
        ({"until": "2025"}, {}, False),
        ({}, {"until": "2025"}, False),
        ({"full_refresh": True}, {}, True),
        ({"full_refresh": True}, {"full_refresh": True}, True),
        ({}, {"full_refresh": True}, False),
        ({}, {"wait": True}, True),
    ],
)
def test_only_a_run_of_the_same_window_goes_on(
    began: dict[str, Any], now: dict[str, Any], goes_on: bool
) -> None:
    assert (usable(point(**began), PLAN, RunOptions(**now)) is not None) is goes_on


def test_a_changed_source_starts_anew() -> None:
    assert usable(point(), changed(), RunOptions()) is None


def test_appended_rows_are_not_appended_twice_by_a_changed_source() -> None:
    with pytest.raises(ConfigurationError, match="append them twice") as failure:
        usable(point(appending()), changed(appending()), RunOptions())
    assert "--full-refresh" in failure.value.advice


def test_appending_starts_anew_on_purpose_with_full_refresh() -> None:
    stored = point(appending())
    assert usable(stored, changed(appending()), RunOptions(full_refresh=True)) is None


def test_appending_goes_on_when_nothing_has_changed() -> None:
    assert usable(point(appending()), appending(), RunOptions()) is not None


@pytest.mark.parametrize(
    "source",
    [
        {"records": "$.other[*]"},
        {"filter": "id > 3"},
        {"request": {"path": "/others"}},
        {"api": {"base_url": "http://127.0.0.1:2"}},
    ],
)
def test_what_decides_the_records_changes_the_source(source: dict[str, Any]) -> None:
    assert fingerprint(integration(URL, Path("items.db"), source=source)) != fingerprint(PLAN)


def test_new_credentials_leave_the_source_the_same() -> None:
    api = {"base_url": URL, "auth": {"type": "bearer", "token": "${env:OTHER}"}}
    other = integration(URL, Path("items.db"), source={"api": api})
    assert fingerprint(other) == fingerprint(PLAN)


def test_the_account_goes_on_counting_from_the_resume_point() -> None:
    fresh = Account(RunReport(integration="items"), "second", datetime.now(UTC))
    sent = restore(fresh, ResumePoint(**point(stop="no_next")))
    assert sent == Requests(sent=4, retried=1, p50_ms=10, p95_ms=20)
    assert (fresh.run_id, fresh.started) == ("first", account().started)
    assert (fresh.cursor, fresh.report.pages) == ("2026-01-01", 3)
    assert fresh.report.records == Records(fetched=30, written=29, rejected=1)
    assert fresh.report.stop_reason == "no_next"
