"""The account of a run of many parts."""

from __future__ import annotations

from typing import Any

import pytest

from astrio.blocks.errors import (
    ApiUnavailableError,
    AstrioError,
    ConfigurationError,
    CredentialsError,
)
from astrio.flows.summary import facts
from astrio.flows.tally import PartsError, Tally
from astrio.tasks.progress import Progress
from astrio.tasks.report import (
    BrokenRule,
    ErrorReport,
    Records,
    Requests,
    RunReport,
    TableChanges,
)

FAILURE = ApiUnavailableError("The API is down.", advice="Wait.")


def report(fetched: int, state: str = "completed", **more: Any) -> RunReport:
    records = Records(fetched=fetched, written=fetched, claimed=fetched)
    return RunReport(integration="items", state=state, records=records, pages=1, **more)


def tally(*names: str, **more: Any) -> Tally:
    return Tally("items", list(names), more.pop("before", {}), **more)


def test_the_whole_is_the_sum_of_its_parts() -> None:
    counted = tally("a", "b", before={"a": report(3)})
    rule = BrokenRule(field="age", rule="min", records=2)
    second = report(
        4,
        requests=Requests(sent=5, retried=1),
        broken_rules=[rule],
        table=TableChanges(added=["size"]),
        warnings=["odd"],
    )
    counted.hear("b", second)
    counted.end("b")
    whole = counted.report("run-1")
    assert (whole.state, whole.flow_run, whole.pages) == ("completed", "run-1", 2)
    assert whole.records == Records(fetched=7, written=7, claimed=7)
    assert (whole.requests.sent, whole.requests.retried) == (5, 1)
    assert whole.broken_rules == [rule]
    assert whole.table == TableChanges(added=["size"])
    assert whole.warnings == ["odd"]
    assert [(each.part, each.state) for each in whole.parts] == [
        ("a", "done_before"),
        ("b", "completed"),
    ]
    assert counted.error(whole) is None


def test_a_total_is_claimed_only_if_every_part_names_one() -> None:
    counted = tally("a", "b")
    counted.hear("a", report(3))
    without = report(4)
    without.records.claimed = None
    counted.hear("b", without)
    assert counted.report(None).records.claimed is None


def test_rejects_of_a_part_are_told_by_the_state_of_the_whole() -> None:
    counted = tally("a")
    rejecting = report(3, "completed_with_rejects")
    rejecting.records = Records(fetched=3, written=2, rejected=1)
    counted.hear("a", rejecting)
    assert counted.report(None).state == "completed_with_rejects"


def test_what_is_left_is_told_with_how_to_go_on() -> None:
    counted = tally("a", "b", "c")
    counted.hear("a", report(3))
    counted.end("b", FAILURE)
    whole = counted.report(None)
    error = counted.error(whole)
    assert whole.state == "failed"
    assert isinstance(error, PartsError)
    assert error.message == "1 of 3 parts failed, 1 were not begun. b: The API is down."
    assert "the rest is gone on with" in error.advice
    told = dict(facts(whole))
    assert told["Parts"] == "3: 1 done, 1 failed, 1 not begun"
    assert told["  b"] == "The API is down."


def test_the_first_of_many_failures_are_told_in_words() -> None:
    counted = tally(*"abcdefgh", patient=True)
    for name in "abcdefgh":
        counted.end(name, FAILURE)
    error = counted.error(counted.report(None))
    assert error is not None
    assert error.message.count("The API is down.") == 5
    assert error.message.endswith("And 3 more failed.")


def test_a_part_that_failed_with_a_report_keeps_it() -> None:
    counted = tally("a")
    failed = report(2, "failed", error=ErrorReport.of(FAILURE))
    counted.hear("a", failed)
    counted.end("a", FAILURE)
    assert counted.report(None).records.fetched == 2


def test_three_failures_in_a_row_end_it_and_a_success_between_does_not() -> None:
    counted = tally(*"abcde")
    for name, error in (("a", FAILURE), ("b", FAILURE), ("c", None), ("d", FAILURE)):
        counted.end(name, error)
    assert not counted.gives_up
    counted.end("e", FAILURE)
    counted.end("a", FAILURE)
    assert counted.gives_up


@pytest.mark.parametrize("error", [ConfigurationError("no"), CredentialsError("no")])
def test_what_every_part_would_meet_ends_it_at_once(error: AstrioError) -> None:
    counted = tally("a", "b")
    counted.end("a", error)
    assert counted.gives_up
    told = counted.error(counted.report(None))
    assert told is not None
    assert told.exit_code == error.exit_code
    assert told.message.startswith("no (1 of 2 parts failed")


def test_a_mistake_that_is_found_after_something_was_sent_is_no_usage_error() -> None:
    counted = tally("a", "b")
    counted.hear("a", report(3))
    counted.end("b", ConfigurationError("no"))
    error = counted.error(counted.report(None))
    assert error is not None
    assert error.exit_code == 1


def test_parts_with_reasons_of_their_own_are_all_tried() -> None:
    counted = tally(*"abcd", patient=True)
    for name in "abcd":
        counted.end(name, CredentialsError("no"))
    assert not counted.gives_up


def test_progress_counts_what_has_ended_and_what_is_at_work() -> None:
    counted = tally("a", "b", "c", before={"a": report(3)})
    counted.hear("b", Progress(pages=2, fetched=20, rejected=1, claimed=None))
    now = counted.progress()
    assert (now.pages, now.fetched, now.rejected, now.parts) == (3, 23, 1, (1, 3))


def test_a_whole_that_was_stopped_is_cancelled() -> None:
    counted = tally("a", "b")
    counted.hear("a", report(3, "cancelled"))
    whole = counted.report(None, cancelled=True)
    assert (whole.state, whole.error) == ("cancelled", None)
    assert [each.state for each in whole.parts] == ["cancelled", "not_begun"]
