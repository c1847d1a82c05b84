"""The report in words."""

from __future__ import annotations

from typing import Any

import pytest

from astrio.flows.summary import facts, headline, markdown
from astrio.tasks.quality.figures import FieldFigures, Profiled
from astrio.tasks.report import BrokenRule, ErrorReport, Records, Requests, RunReport, Window


def report(**values: Any) -> RunReport:
    return RunReport(**{"integration": "shop", "state": "completed", **values})


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("completed", "Completed"),
        ("completed_with_rejects", "Completed with rejects"),
        ("failed", "Failed"),
        ("cancelled", "Cancelled"),
        ("paused", "paused"),
    ],
)
def test_the_headline_begins_with_the_state(state: str, words: str) -> None:
    assert headline(report(state=state)).startswith(f"{words}: 0 fetched = ")


def test_the_headline_is_the_balance() -> None:
    records = Records(fetched=5000, filtered=1, rejected=25, written=4973, unchanged=1)
    assert headline(report(records=records)) == (
        "Completed: 5,000 fetched = 1 filtered + 25 rejected + 4,973 written + 1 unchanged + "
        "0 failed"
    )


def test_a_run_without_measures_tells_only_what_is_known() -> None:
    assert facts(report()) == [
        ("Pages", "0 (unknown)"),
        ("Claimed by the API", "no total"),
        ("Requests", "0 sent, 0 retried"),
        ("Time", "0.0 s"),
    ]


def test_all_that_is_known_is_told() -> None:
    whole = report(
        pages=1200,
        stop_reason="no_next",
        records=Records(claimed=30_000),
        requests=Requests(sent=1202, retried=2, p50_ms=41, p95_ms=120),
        window=Window(start="2026-01-01", end="2026-02-01"),
        checkpoint={"updated_at": "2026-01-31"},
        seconds=12.34,
    )
    assert facts(whole) == [
        ("Pages", "1,200 (no_next)"),
        ("Claimed by the API", "30,000"),
        ("Requests", "1,202 sent, 2 retried"),
        ("Response times", "41 ms median, 120 ms p95"),
        ("Window", "2026-01-01 to 2026-02-01"),
        ("Checkpoint updated_at", "2026-01-31"),
        ("Time", "12.3 s"),
    ]


def test_pages_that_were_skipped_are_told() -> None:
    pairs = dict(facts(report(pages=12, pages_skipped=11, stop_reason="no_next")))
    assert pairs["Pages"] == "12 (no_next), 11 of them unchanged"


def test_broken_rules_are_told() -> None:
    rules = [
        BrokenRule(field="customer.age", rule="min", records=1_200),
        BrokenRule(field=None, rule="expr", severity="warning", records=3),
    ]
    pairs = dict(facts(report(broken_rules=rules)))
    assert pairs["Rules broken"] == "customer.age min: 1,200; expr: 3 (warning)"


def test_the_first_window_begins_at_the_beginning() -> None:
    first = report(window=Window(end="2026-02-01"), checkpoint={"id": 7})
    assert ("Window", "the beginning to 2026-02-01") in facts(first)


def test_the_markdown_holds_the_balance_and_a_table_of_facts() -> None:
    lines = markdown(report(pages=3, stop_reason="no_next")).splitlines()
    assert lines[0] == "## shop"
    assert lines[2] == f"**{headline(report())}**"
    assert lines[4:7] == ["| | |", "|---|---|", "| Pages | 3 (no_next) |"]


def test_what_would_break_the_table_is_escaped() -> None:
    text = markdown(report(checkpoint={"id": "a|b\nc"}, warnings=["one\ntwo"]))
    assert "| Checkpoint id | a\\|b c |" in text
    assert "> Warning: one two" in text


@pytest.mark.parametrize(
    ("request_", "where"), [("GET http://x/ (page 2)", " `GET http://x/ (page 2)`"), (None, "")]
)
def test_an_error_is_told_with_its_request_and_advice(request_: str | None, where: str) -> None:
    error = ErrorReport(kind="api", message="It is down.", advice="Wait.", request=request_)
    assert markdown(report(state="failed", error=error)).endswith(
        f"\n\n**api:** It is down.{where}\n\nWait."
    )


def test_fields_tell_among_how_many_values_different_ones_were_counted() -> None:
    figures = FieldFigures(filled=90_000, kinds=["text"], distinct=900, distinct_of=20_000)
    text = markdown(report(fields={"a|b": figures}, profiled=Profiled(records=90_000, untracked=3)))
    assert "### Fields of 90,000 records" in text
    assert "| a\\|b | text | 90,000 | 0 | 0 | 900 of the first 20,000 |  |  |  |" in text
    assert "and 3 more fields" in text
