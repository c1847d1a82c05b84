"""Mode `replace` in trouble: the old rows stay until the new ones are whole."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import inspect
from tests.contracts.staging import Replacing, Row, finish, replaced, staged, staging_tables
from tests.contracts.stream import Stream, batch, child, rejected

from astrio.blocks.errors import DestinationError, LeaseHeldError
from astrio.tasks.destinations.base import Chunk
from astrio.tasks.destinations.opening import last_runs, quarantine_rows, stream_status
from astrio.tasks.destinations.sql import moment
from astrio.tasks.report import RunReport

KILLED_IN_THE_SWAP = """
    import os, signal
    from astrio.tasks.destinations.sql.staging import Staging
    from astrio.tasks.report import RunReport
    swap = Staging.take_place
    def killed(self, connection):
        if "{when}" == "after":
            swap(self, connection)
        os.kill(os.getpid(), signal.SIGKILL)
    Staging.take_place = killed
    destination.open(run)
    destination.begin_slice(atomic=False)
    destination.commit(Chunk([Batch(Page(1), ("id", "name"), [(9, "new")], [(9, "new")])]))
    destination.finish(RunReport(integration="shop"), clear_resume=True)
"""


class ReplaceFailures(Replacing):
    """Readers, failures, other runs and killed processes."""

    # The old rows, until the end.

    def test_the_old_rows_are_read_until_the_end(self, stream: Stream) -> None:
        replaced(stream, "id", (0,))
        destination = staged(stream, "id name", (1, "a"))
        destination.renew()
        destination.commit(Chunk([batch("id name", (2, "b"))]))
        assert stream.rows() == [(0,)]
        finish(destination)
        assert stream.rows() == [(1, "a"), (2, "b")]
        assert staging_tables(stream) == []

    def test_an_abandoned_run_leaves_the_old_rows_its_report_and_its_rejects(
        self, stream: Stream
    ) -> None:
        replaced(stream, "id", (0,))
        destination = stream.open("run-2")
        destination.commit(Chunk([batch("id name", (1, "x"), rejects=[rejected({}, (2,))])]))
        destination.abandon(RunReport(integration="shop", state="failed"))
        assert stream.rows() == [(0,)]
        assert stream.columns() == ["id"]
        assert staging_tables(stream) == []
        assert last_runs(stream.push, "shop")[0]["state"] == "failed"
        assert [row["key"] for row in quarantine_rows(stream.push, "shop")] == ["2"]

    def test_closing_leaves_the_old_rows(self, stream: Stream) -> None:
        replaced(stream, "id", (0,))
        staged(stream, "id", (1,)).close()
        assert stream.rows() == [(0,)]
        assert staging_tables(stream) == []

    def test_a_slice_that_begins_anew_forgets_its_rows(self, stream: Stream) -> None:
        replaced(stream, "id", (0,))
        destination = staged(stream, "id", (1,))
        destination.abandon()
        destination.begin_slice(atomic=False)
        destination.commit(Chunk([batch("id", (2,))]))
        finish(destination)
        assert stream.rows() == [(2,)]

    def test_a_swap_that_fails_leaves_the_old_rows(
        self, stream: Stream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        replaced(stream, "id name", (0, "old"))
        destination = staged(stream, "id name", (1, "new"))

        def broken(*_: Any) -> None:
            raise ArithmeticError

        monkeypatch.setattr("astrio.tasks.destinations.sql.checkpoint.end_run", broken)
        with pytest.raises(ArithmeticError):
            finish(destination)
        monkeypatch.undo()
        assert stream.rows() == [(0, "old")]
        finish(destination)
        assert stream.rows() == [(1, "new")]

    def test_a_staging_table_that_somebody_removed_is_told(self, stream: Stream) -> None:
        replaced(stream, "id", (0,))
        destination = staged(stream, "id", (1,))
        stream.execute(f"DROP TABLE {staging_tables(stream)[0]}")
        with pytest.raises(DestinationError, match="has been removed meanwhile"):
            finish(destination)
        assert stream.rows() == [(0,)]

    def test_readers_never_see_the_table_missing_empty_or_in_part(self, stream: Stream) -> None:
        replaced(stream, "id made", *((number, 0) for number in range(500)))
        seen, stop = set[Row](), threading.Event()

        def read() -> None:
            while not stop.is_set():
                seen.update(stream.rows("SELECT count(*), max(made) - min(made) FROM orders"))

        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(read)
            try:
                for made in range(1, 6):
                    destination = stream.open()
                    for first in range(0, 500, 100):
                        rows = [(number, made) for number in range(first, first + 100)]
                        destination.commit(Chunk([batch("id made", *rows)]))
                    finish(destination)
                    destination.close()
            finally:
                stop.set()
            reading.result()
        assert seen == {(500, 0)}

    # Quarantine.

    def test_a_record_leaves_the_quarantine_when_its_row_is_shown(self, stream: Stream) -> None:
        replaced(stream, "id", (1,))
        destination = stream.open()
        rejects = [rejected({"id": key}, (key,)) for key in (7, 8)]
        destination.commit(Chunk([batch("id", (1,), rejects=rejects)]))
        destination.commit(Chunk([batch("id", (7,), (8,))]))
        destination.commit(Chunk([batch("id", rejects=rejects[:1])]))
        assert len(quarantine_rows(stream.push, "shop")) == 2
        finish(destination)
        assert [row["key"] for row in quarantine_rows(stream.push, "shop")] == ["7"]

    def test_a_record_stays_in_the_quarantine_if_its_row_is_not_shown(self, stream: Stream) -> None:
        destination = stream.open()
        destination.commit(Chunk([batch("id", rejects=[rejected({}, (7,))])]))
        destination.commit(Chunk([batch("id", (7,))]))
        destination.abandon()
        destination.begin_slice(atomic=False)
        finish(destination)
        assert len(quarantine_rows(stream.push, "shop")) == 1

    # Other runs.

    def test_a_run_that_lost_its_lease_replaces_nothing(self, stream: Stream) -> None:
        replaced(stream, "id", (0,))
        first = staged(stream, "id", (1,))
        second = stream.open(clock=lambda: moment.now() + timedelta(seconds=40))
        with pytest.raises(LeaseHeldError):
            finish(first)
        second.commit(Chunk([batch("id", (2,))]))
        first.abandon(RunReport(integration="shop", state="failed"))
        first.close()
        assert stream.rows() == [(0,)]
        finish(second)
        assert stream.rows() == [(2,)]

    def test_streams_of_one_database_stage_their_rows_apart(self, url: str) -> None:
        one, other = (Stream(url, mode="replace", table=table) for table in ("orders", "customers"))
        for stream in (one, other):
            replaced(stream, "id", (0,))
        first, second = staged(one, "id", (1,)), staged(other, "id", (2,))
        finish(first)
        finish(second)
        assert one.rows() == [(1,)]
        assert other.rows("SELECT * FROM customers") == [(2,)]
        one.close()
        other.close()

    # Killed processes.

    @pytest.mark.parametrize("mode", ["replace", "upsert"])
    def test_the_rows_of_a_killed_run_are_gone_when_the_next_begins(
        self, stream: Stream, mode: str
    ) -> None:
        replaced(stream, "id", (0,))
        code = """
            destination.open(run)
            destination.begin_slice(atomic=False)
            destination.commit(Chunk([Batch(Page(1), ("id",), [(1,)], [(1,)])]))
            print("staged", flush=True)
            sys.stdin.read()
        """
        process = child(stream, code)
        assert process.stdout is not None
        assert process.stdout.readline() == "staged\n"
        process.kill()
        process.communicate()
        assert stream.rows() == [(0,)]
        assert len(staging_tables(stream)) == 1
        stream.push = stream.push.model_copy(update={"mode": mode})
        destination = staged(stream, "id", (2,))
        finish(destination)
        assert stream.rows() == ([(2,)] if mode == "replace" else [(0,), (2,)])
        assert staging_tables(stream) == []

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_a_process_killed_in_the_swap_leaves_the_old_rows(
        self, stream: Stream, when: str
    ) -> None:
        replaced(stream, "id name", (1, "old"))
        stream.execute("CREATE INDEX by_name ON orders (name)")
        process = child(stream, KILLED_IN_THE_SWAP.replace("{when}", when))
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert stream.rows() == [(1, "old")]
        status = stream_status(stream.push, "shop")
        assert (status.unfinished, status.holder) == (False, None)
        replaced(stream, "id name", (2, "new"))
        assert stream.rows() == [(2, "new")]
        assert len(inspect(stream.database).get_indexes("orders")) == 1
