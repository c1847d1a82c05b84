"""What every SQL destination keeps of a stream, and how slices commit."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest
from tests.contracts.stream import Stream, StreamContract, batch, rejected

from astrio.blocks.errors import (
    DestinationError,
    TooManyRejectsError,
)
from astrio.tasks.destinations.base import Chunk, StreamState, Written
from astrio.tasks.destinations.opening import (
    last_runs,
    quarantine_rows,
    stream_status,
)
from astrio.tasks.report import RunReport


class StateContract(StreamContract):
    """Inherited by `DestinationContract`."""

    undoes_changes = True
    """Whether a table that a transaction made is gone when that is rolled back."""

    # State.

    def test_a_new_stream_remembers_nothing(self, stream: Stream) -> None:
        stream.open()
        assert stream.state == StreamState(None, None)

    def test_the_resume_point_commits_with_the_rows_it_counts(self, stream: Stream) -> None:
        destination = stream.open()
        chunk = Chunk([batch("id", (1,), (2,))], resume=lambda done: {"written": done.written})
        destination.commit(chunk)
        destination.close()
        stream.open()
        assert stream.state.resume == {"written": 2}

    def test_effects_of_events_commit_with_the_rows_and_are_known_afterwards(
        self, stream: Stream
    ) -> None:
        destination = stream.open()
        assert destination.effects(["a", "b"]) == set()
        destination.commit(Chunk([batch("id", (1,))], effects=["a", "a", "c"]))
        destination.close()
        assert stream.open().effects(["a", "b", "c"]) == {"a", "c"}

    def test_an_effect_is_forgotten_with_a_chunk_that_fails(self, stream: Stream) -> None:
        destination = stream.open()
        with pytest.raises(ZeroDivisionError):
            destination.commit(
                Chunk([batch("id", (1,))], resume=lambda _: {"n": 1 / 0}, effects=["a"])
            )
        assert destination.effects(["a"]) == set()

    def test_effects_are_forgotten_when_no_event_can_come_again(self, stream: Stream) -> None:
        long_ago = datetime.now(UTC) - timedelta(days=36)
        destination = stream.open(clock=lambda: long_ago)
        destination.commit(Chunk([batch("id", (1,))], effects=["old"]))
        destination.close()
        assert stream.open().effects(["old"]) == set()

    def test_nothing_of_a_chunk_stays_if_its_resume_point_cannot_be_made(
        self, stream: Stream
    ) -> None:
        def broken(_: Written) -> None:
            raise ArithmeticError

        destination = stream.open()
        with pytest.raises(ArithmeticError):
            destination.commit(Chunk([batch("id", (1,), rejects=[rejected({}, (9,))])], broken, 5))
        destination.commit(Chunk([batch("id", (2,))]))
        assert stream.rows() == [(2,)]
        assert stream_status(stream.push, "shop").watermark is None
        assert quarantine_rows(stream.push, "shop") == []

    def test_what_is_not_given_stays_as_it_is(self, stream: Stream) -> None:
        destination = stream.open()
        destination.commit(Chunk([], resume=lambda _: {"page": 2}, watermark="2026-01-01"))
        destination.commit(Chunk([]))
        destination.finish(RunReport(integration="shop"), clear_resume=False)
        destination.close()
        stream.open()
        assert (stream.state.watermark, stream.state.resume) == ("2026-01-01", {"page": 2})

    def test_the_end_of_a_slice_moves_the_watermark_and_drops_the_resume_point(
        self, stream: Stream
    ) -> None:
        destination = stream.open()
        destination.commit(Chunk([], resume=lambda _: {"page": 2}, watermark=5))
        destination.finish(RunReport(integration="shop"), watermark=7, clear_resume=True)
        destination.close()
        stream.open()
        assert (stream.state.watermark, stream.state.resume) == (7, None)

    def test_streams_of_one_database_do_not_know_each_other(self, url: str) -> None:
        one, other = Stream(url), Stream(url, table="customers")
        one.open().commit(Chunk([], watermark=5))
        other.open()
        assert other.state == StreamState()
        one.close()
        other.close()

    def test_a_resumed_run_keeps_its_row_among_the_reports(self, stream: Stream) -> None:
        stream.open("run-1").close()
        assert [each["state"] for each in last_runs(stream.push, "shop")] == ["running"]
        destination = stream.open("run-2", begin=False)
        destination.adopt("run-1")
        destination.begin_slice(atomic=False)
        report = RunReport(integration="shop", state="completed", pages=3)
        destination.finish(report, clear_resume=True)
        (row,) = last_runs(stream.push, "shop")
        assert (row["run_id"], row["state"], row["pages"]) == ("run-1", "completed", 3)
        assert row["started_at"] < row["finished_at"]

    def test_reports_come_newest_first(self, stream: Stream) -> None:
        for run_id in ("a", "b", "c"):
            destination = stream.open(run_id)
            destination.finish(RunReport(integration="shop"), clear_resume=True)
            destination.close()
        assert [row["run_id"] for row in last_runs(stream.push, "shop", 2)] == ["c", "b"]

    def test_a_failed_runs_report_is_kept(self, stream: Stream) -> None:
        destination = stream.open()
        destination.commit(Chunk([batch("id", (1,))], resume=lambda _: {"page": 2}))
        destination.abandon(RunReport(integration="shop", state="failed"))
        status = stream_status(stream.push, "shop")
        assert status.unfinished
        assert status.last_run is not None
        assert status.last_run["state"] == "failed"
        assert stream.rows() == [(1,)]

    def test_a_slice_found_wanting_is_not_resumed(self, stream: Stream) -> None:
        destination = stream.open()
        destination.commit(Chunk([], resume=lambda _: {"page": 2}))
        destination.abandon(RunReport(integration="shop"), clear_resume=True)
        assert not stream_status(stream.push, "shop").unfinished

    def test_the_status_tells_where_the_stream_stands(self, stream: Stream) -> None:
        destination = stream.open()
        chunk = Chunk([batch("id", (1,), rejects=[rejected({"id": 2}, (2,))])], watermark="w")
        destination.commit(chunk)
        status = stream_status(stream.push, "shop")
        assert (status.watermark, status.unfinished, status.quarantined) == ("w", False, 1)
        assert f"process {os.getpid()} on" in str(status.holder)
        destination.close()
        assert stream_status(stream.push, "shop").holder is None

    # Atomic slices.

    def test_an_atomic_slice_shows_nothing_before_its_end(self, stream: Stream) -> None:
        stream.write("id", (0,))
        destination = stream.open(begin=False)
        destination.begin_slice(atomic=True)
        destination.commit(Chunk([batch("id", (1,))]))
        destination.renew()
        destination.commit(Chunk([batch("id", (2,))]))
        assert stream.rows() == [(0,)]
        destination.finish(RunReport(integration="shop"), watermark=3, clear_resume=True)
        assert stream.rows() == [(0,), (1,), (2,)]
        assert stream_status(stream.push, "shop").watermark == 3

    def test_an_abandoned_atomic_slice_leaves_its_report_and_rejects_only(
        self, stream: Stream
    ) -> None:
        destination = stream.open(begin=False)
        destination.begin_slice(atomic=True)
        destination.commit(Chunk([batch("id", (1,), rejects=[rejected({"id": 2}, (2,))])]))
        destination.abandon(RunReport(integration="shop", state="failed"))
        assert [row["key"] for row in quarantine_rows(stream.push, "shop")] == ["2"]
        assert last_runs(stream.push, "shop")[0]["state"] == "failed"
        if not self.undoes_changes:
            assert stream.rows() == []
            return
        with pytest.raises(Exception, match="orders"):
            stream.rows()

    def test_an_atomic_slice_that_begins_anew_counts_its_rejects_once(self, stream: Stream) -> None:
        destination = stream.open(begin=False)
        for _ in range(2):
            destination.begin_slice(atomic=True)
            destination.commit(Chunk([batch("id", (1,), rejects=[rejected({"id": 2}, (2,))])]))
            destination.abandon()
        assert quarantine_rows(stream.push, "shop") == []

    def test_an_atomic_slice_goes_on_after_a_chunk_that_failed(self, stream: Stream) -> None:
        destination = stream.open(begin=False)
        destination.begin_slice(atomic=True)
        destination.commit(Chunk([batch("id", (1,))]))
        with pytest.raises(DestinationError):
            destination.commit(Chunk([batch("id", (2,)), batch("id _astrio_x", (3, 3))]))
        destination.finish(RunReport(integration="shop"), clear_resume=True)
        assert stream.rows() == [(1,)]

    def test_an_atomic_slice_cannot_keep_endless_rejects(self, stream: Stream) -> None:
        destination = stream.open(begin=False, most_rejects=2)
        destination.begin_slice(atomic=True)
        rejects = [rejected({"id": number}, (number,)) for number in range(3)]
        with pytest.raises(TooManyRejectsError, match="More than 2"):
            destination.commit(Chunk([batch("id", rejects=rejects)]))
        destination.abandon(RunReport(integration="shop"))
        assert len(quarantine_rows(stream.push, "shop")) == 3

    def test_closing_rolls_an_atomic_slice_back(self, stream: Stream) -> None:
        stream.write("id", (0,))
        destination = stream.open(begin=False)
        destination.begin_slice(atomic=True)
        destination.commit(Chunk([batch("id", (1,))]))
        destination.close()
        assert stream.rows() == [(0,)]
        stream.open()
