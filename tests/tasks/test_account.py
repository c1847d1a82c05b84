"""The account of a run: each record counted once, and the judgement at the end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from astrio.blocks.errors import ApiUnavailableError, ImbalanceError, TooManyRejectsError
from astrio.tasks.account import Account
from astrio.tasks.batch import Batch, Page, Reject
from astrio.tasks.destinations.base import Written
from astrio.tasks.report import Records, Requests, RunReport


def account(**values: Any) -> Account:
    fields = {"report": RunReport(integration="items"), "run_id": "r1", **values}
    return Account(started=datetime(2026, 1, 1, tzinfo=UTC), **fields)


def counted(max_rejected: int | str | None = None, **records: int) -> Account:
    report = RunReport(integration="items", records=Records(**records))
    return account(report=report, max_rejected=max_rejected)


def batch(number: int = 1, *, rejects: int = 0, **page: Any) -> Batch:
    rejected = [Reject({"id": each}, []) for each in range(rejects)]
    return Batch(Page(number, **page), ("id",), [], (), rejected)


def test_a_chunk_adds_the_fates_of_its_records() -> None:
    sums = account(requests=lambda: Requests(sent=3))
    written = Written(4, 2, rejected=[Reject({}, [])], failed=[Reject({}, [])])
    sums.add([batch(1, fetched=6, filtered=1, rejects=1), batch(2, fetched=4, claimed=10)], written)
    assert sums.report.pages == 2
    assert sums.report.requests.sent == 3
    assert sums.report.records == Records(
        claimed=10, fetched=10, filtered=1, rejected=2, written=4, unchanged=2, failed=1
    )
    assert sums.report.records.balanced


def test_the_counts_after_a_chunk_are_known_before_it_is_counted() -> None:
    sums = counted(fetched=5, written=5)
    pages, records = sums.after([batch(3, fetched=2)], Written(1, 1))
    assert (pages, records.fetched, records.written, records.unchanged) == (3, 7, 6, 1)
    assert (sums.report.pages, sums.report.records.fetched) == (0, 5)


def test_broken_rules_are_counted_and_never_too_many() -> None:
    sums = account()
    one, two = batch(1), batch(2)
    one.broken = {(f"sizes{place}", "min", "error"): 1 for place in range(490)}
    two.broken = {(f"sizes{place}", "min", "warning"): 2 for place in range(490)}
    sums.add([one], Written(0))
    sums.add([two, one], Written(0))
    counts = {(e.field, e.rule, e.severity): e.records for e in sums.report.broken_rules}
    assert len(counts) == 501
    assert counts["sizes0", "min", "error"] == 2
    assert counts["sizes0", "min", "warning"] == 2
    assert counts["(others)", "(others)", "warning"] == 2 * 480


def test_a_page_without_a_total_leaves_the_one_that_was_claimed() -> None:
    sums = counted(claimed=9)
    sums.add([batch(2, fetched=1)], Written(1))
    assert sums.report.records.claimed == 9


def test_a_balanced_run_passes() -> None:
    counted(claimed=5, fetched=5, filtered=1, rejected=1, written=2, unchanged=1).check()


def test_an_empty_run_passes() -> None:
    counted().check()


def test_a_lost_record_fails_the_run() -> None:
    with pytest.raises(ImbalanceError, match="5 records were fetched but 4 accounted for"):
        counted(fetched=5, written=4).check()


def test_another_number_than_the_api_claims_fails_the_run() -> None:
    with pytest.raises(ImbalanceError, match="claims 7 records, but 5 arrived"):
        counted(claimed=7, fetched=5, written=5).check()


def test_a_limited_run_may_read_less_than_the_api_claims() -> None:
    sums = counted(claimed=7, fetched=5, written=5)
    sums.report.stop_reason = "limit"
    sums.check()


@pytest.mark.parametrize(
    ("allowed", "rejected"), [(None, 9), (0, 0), (3, 3), ("3", 3), ("25%", 2), ("100%", 10)]
)
def test_so_many_rejects_are_allowed(allowed: int | str | None, rejected: int) -> None:
    counted(allowed, fetched=10, rejected=rejected, written=10 - rejected).check()


@pytest.mark.parametrize(
    ("allowed", "rejected", "told"),
    [
        (None, 10, "rejected all records."),
        (0, 1, "rejected 1 of 10 records (maxRejected: 0)."),
        (3, 4, "rejected 4 of 10 records (maxRejected: 3)."),
        ("25%", 3, "rejected 3 of 10 records (maxRejected: 25%)."),
    ],
)
def test_more_rejects_than_that_fail_the_run(
    allowed: int | str | None, rejected: int, told: str
) -> None:
    with pytest.raises(TooManyRejectsError) as failure:
        counted(allowed, fetched=12, filtered=2, rejected=rejected, written=10 - rejected).check()
    assert told in failure.value.message


@pytest.mark.parametrize(("allowed", "failed"), [(None, 5), (0, 1), ("15%", 2)])
def test_rows_that_the_destination_refused_count_as_rejects(
    allowed: int | str | None, failed: int
) -> None:
    sums = counted(allowed, fetched=10, rejected=5, failed=failed, written=5 - failed)
    with pytest.raises(TooManyRejectsError, match="mapping, the rules or the destination rejected"):
        sums.check()


def test_a_reading_that_was_cut_short_is_no_whole() -> None:
    sums = counted(fetched=5, written=5)
    sums.report.stop_reason, sums.report.pages = "limit", 2
    with pytest.raises(ImbalanceError, match="max_pages ended the reading after 2 pages"):
        sums.check(whole=True)
    sums.report.stop_reason = "no_next"
    sums.check(whole=True)


def test_what_an_abandoned_reading_wrote_counts_as_written() -> None:
    sums = counted(fetched=5, written=5)
    sums.cursor = "2026"
    sums.restart()
    assert (sums.report.pages, sums.report.records, sums.cursor) == (0, Records(), None)
    sums.add([batch(1, fetched=6)], Written(1, 5))
    sums.close()
    assert (sums.report.records.written, sums.report.records.unchanged) == (6, 0)


def test_records_that_were_there_before_both_readings_stay_unchanged() -> None:
    sums = counted(fetched=5, written=2, unchanged=3)
    sums.restart()
    sums.add([batch(1, fetched=5)], Written(0, 5))
    sums.close()
    assert (sums.report.records.written, sums.report.records.unchanged) == (2, 3)


def test_a_second_reading_that_writes_everything_anew_moves_nothing() -> None:
    sums = counted(fetched=5, written=5)
    sums.restart()
    sums.add([batch(1, fetched=5)], Written(5))
    sums.close()
    assert (sums.report.records.written, sums.report.records.unchanged) == (5, 0)


def test_rows_that_were_rolled_back_have_failed() -> None:
    sums = counted(fetched=6, rejected=1, written=3, unchanged=2, deleted=4)
    sums.roll_back()
    assert sums.report.records == Records(fetched=6, rejected=1, failed=5)


def test_a_failed_account_tells_the_error_and_the_requests() -> None:
    sums = account(requests=lambda: Requests(sent=4))
    error = ApiUnavailableError("It is down.", advice="Wait.", request="GET http://x/ (page 2)")
    report = sums.fail(error)
    assert (report.state, report.stop_reason, report.requests.sent) == ("failed", "error", 4)
    assert report.error is not None
    assert report.error.model_dump() == {
        "kind": "api",
        "message": "It is down.",
        "advice": "Wait.",
        "request": "GET http://x/ (page 2)",
    }


def test_a_cancelled_account_keeps_the_reason_why_the_source_had_ended() -> None:
    sums = account()
    sums.report.stop_reason = "no_next"
    report = sums.fail(ImbalanceError("Odd."), state="cancelled")
    assert (report.state, report.stop_reason) == ("cancelled", "no_next")
