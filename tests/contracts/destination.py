"""What is true of every SQL destination; each database's test class inherits this."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from astrio.blocks.errors import (
    ConfigurationError,
    DestinationError,
    LeaseHeldError,
    TooManyRejectsError,
)
from astrio.blocks.literals import SHOW_SECRETS
from astrio.tasks.batch import Batch, Page, Problem, Reject
from astrio.tasks.destinations.base import Chunk, RunIdentity, StreamState, Written
from astrio.tasks.destinations.opening import (
    last_runs,
    open_destination,
    quarantine_record,
    quarantine_rows,
    stream_status,
)
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.sql import moment
from astrio.tasks.destinations.sql.destination import SqlDestination
from astrio.tasks.report import RunReport

Row = tuple[Any, ...]
ROOT = Path(__file__).parents[2]


def batch(columns: str, *rows: Row, rejects: Sequence[Reject] = ()) -> Batch:
    """Make a page of rows; each row's source record is the object of its columns."""
    names = tuple(columns.split())
    sources = [dict(zip(names, row, strict=True)) for row in rows]
    return Batch(Page(1), names, list(rows), sources, list(rejects))


def rejected(record: Any, key: Row | None = None, *reasons: str) -> Reject:
    """Make a reject; each reason is of the field `age` and the rule `min`."""
    return Reject(record, [Problem("age", "min", reason) for reason in reasons or ("no",)], key)


class Stream:
    """A stream under test: opens destinations, and looks at the database from outside."""

    def __init__(self, url: str, **push: Any) -> None:
        settings = {"table": "orders", "mode": "upsert", "key": ["id"]} | push
        self.push = PushSettings.model_validate({"to": {"url": url}} | settings)
        driver = "postgresql+psycopg://"
        self.database: Engine = create_engine(url.replace("postgresql://", driver))
        self.state = StreamState()
        self._opened: list[SqlDestination] = []

    def open(
        self, run_id: str = "run-1", *, wait: bool = False, begin: bool = True, **how: Any
    ) -> SqlDestination:
        """Open a destination; `begin` starts a slice that commits chunk by chunk."""
        destination = SqlDestination(self.push, "shop", **how)
        self.state = destination.open(RunIdentity(run_id, "shop"), wait=wait)
        self._opened.append(destination)
        if begin:
            destination.begin_slice(atomic=False)
        return destination

    def close(self) -> None:
        """Close whatever is open."""
        for destination in self._opened:
            destination.close()
        self.database.dispose()

    def write(self, columns: str, *rows: Row) -> Written:
        """Write rows in a run of their own."""
        destination = self.open()
        try:
            written = destination.commit(Chunk([batch(columns, *rows)]))
            destination.finish(RunReport(integration="shop", state="completed"), clear_resume=True)
        finally:
            destination.close()
        return written

    def execute(self, *statements: str) -> None:
        """Run SQL in a transaction of the test's own."""
        with self.database.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def rows(self, query: str = "SELECT * FROM orders ORDER BY id") -> list[Row]:
        """Read the table from outside."""
        with self.database.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def columns(self) -> list[str]:
        """Return the table's columns in order."""
        with self.database.connect() as connection:
            return list(connection.execute(text("SELECT * FROM orders")).keys())


class DestinationContract:
    """Define a fixture `url`: a database of the test's own, which does not hold a table yet."""

    def read_json(self, stored: Any) -> Any:
        """Read a stored object back: override it where the driver returns text."""
        return stored

    @pytest.fixture
    def stream(self, url: str) -> Iterator[Stream]:
        stream = Stream(url)
        yield stream
        stream.close()

    # Rows.

    def test_the_first_upsert_writes_every_row(self, stream: Stream) -> None:
        written = stream.write("id name", (1, "Ann"), (2, "Bob"))
        assert (written.written, written.unchanged) == (2, 0)
        assert stream.rows() == [(1, "Ann"), (2, "Bob")]

    def test_the_same_rows_again_are_unchanged(self, stream: Stream) -> None:
        rows = [(1, "Ann", 1.5, True, {"a": [1]}, None), (2, "Bob", 2.0, False, {}, 7)]
        stream.write("id name total paid extra note", *rows)
        written = stream.write("id name total paid extra note", *rows)
        assert (written.written, written.unchanged) == (0, 2)

    def test_only_a_row_that_differs_is_written_again(self, stream: Stream) -> None:
        stream.write("id name", (1, "Ann"), (2, "Bob"), (3, None))
        written = stream.write("id name", (1, "Ann"), (2, None), (3, "Cid"))
        assert (written.written, written.unchanged) == (2, 1)
        assert stream.rows() == [(1, "Ann"), (2, None), (3, "Cid")]

    def test_of_a_key_that_comes_twice_the_last_row_wins(self, stream: Stream) -> None:
        written = stream.write("id name", (1, "a"), (1, "a"), (1, "b"))
        assert (written.written, written.unchanged) == (2, 1)
        assert stream.rows() == [(1, "b")]

    def test_rows_of_several_pages_are_written_in_order(self, stream: Stream) -> None:
        pages = [batch("id n", (1, 1)), batch("n id", (2, 1)), batch("id n", (1, 3), (2, 4))]
        assert stream.open().commit(Chunk(pages)).written == 4
        assert stream.rows() == [(1, 3), (2, 4)]

    def test_a_key_may_have_several_fields(self, url: str, stream: Stream) -> None:
        stream.push = PushSettings.model_validate(
            {"to": {"url": url}, "table": "orders", "mode": "upsert", "key": ["shop.id", "id"]}
        )
        stream.write("shop.id id n", (1, 1, 0), (1, 2, 0), (2, 1, 0))
        written = stream.write("shop.id id n", (1, 1, 0), (1, 2, 5))
        assert (written.written, written.unchanged) == (1, 1)
        assert stream.rows("SELECT * FROM orders ORDER BY 1, 2") == [
            (1, 1, 0),
            (1, 2, 5),
            (2, 1, 0),
        ]

    def test_a_table_that_is_nothing_but_its_key_can_be_upserted(self, stream: Stream) -> None:
        stream.write("id", (1,), (2,))
        written = stream.write("id", (2,), (3,))
        assert (written.written, written.unchanged) == (1, 1)

    def test_append_keeps_every_row(self, url: str) -> None:
        stream = Stream(url, mode="append", key=[])
        stream.write("id name", (1, "a"), (1, "a"))
        assert stream.write("id name", (1, "a")).written == 1
        assert stream.rows() == [(1, "a")] * 3
        stream.close()

    def test_an_empty_first_page_makes_the_table(self, stream: Stream) -> None:
        stream.write("id name")
        assert stream.columns() == ["id", "name"]
        stream.write("id name", (1, 2.5))
        assert stream.rows() == [(1, 2.5)]

    def test_a_page_without_columns_makes_nothing(self, stream: Stream) -> None:
        written = stream.write("")
        assert (written.written, written.unchanged) == (0, 0)

    # Rows that do not go in.

    @pytest.mark.parametrize(
        ("columns", "row"), [("id name", (None, "Ann")), ("name", ("Ann",)), ("", ())]
    )
    def test_a_row_with_an_empty_key_is_rejected_into_the_quarantine(
        self, stream: Stream, columns: str, row: Row
    ) -> None:
        written = stream.write(columns, row)
        (reject,) = written.rejected
        assert [(each.field, each.rule, each.reason) for each in reject.problems] == [
            ("id", "key", "the key is empty")
        ]
        (kept,) = quarantine_rows(stream.push, "shop")
        assert (kept["key"], kept["rule"]) == (None, "key")

    @pytest.mark.parametrize(
        "value",
        ["half \ud800", "nul \0", object(), 10**5000],
        ids=["half a surrogate pair", "NUL", "an object", "an endless integer"],
    )
    def test_a_value_that_cannot_be_stored_fails_its_row_alone(
        self, stream: Stream, value: Any
    ) -> None:
        written = stream.write("id name", (1, "Ann"), (2, value), (3, "Cid"))
        (reject,) = written.failed
        (problem,) = reject.problems
        assert (reject.key, problem.field, problem.rule) == ((2,), "name", "destination")
        assert "cannot be stored" in problem.reason
        assert written.written == 2
        assert stream.rows() == [(1, "Ann"), (3, "Cid")]
        assert [row["key"] for row in quarantine_rows(stream.push, "shop")] == ["2"]

    @pytest.mark.parametrize("value", [{"a": object()}, {"a": float("nan")}, ["\ud800"]])
    def test_an_object_that_cannot_be_stored_fails_its_row_alone(
        self, stream: Stream, value: Any
    ) -> None:
        written = stream.write("id extra", (1, {}), (2, value))
        assert (written.written, len(written.failed)) == (1, 1)

    def test_a_record_without_fields_fails_where_it_is_appended(self, url: str) -> None:
        stream = Stream(url, mode="append", key=[])
        (reject,) = stream.write("", (), ()).failed[:1]
        assert reject.problems[0].reason == "the record has no fields"
        stream.close()

    def test_rows_that_the_database_refuses_fail_and_the_others_go_in(self, stream: Stream) -> None:
        stream.execute(
            "CREATE TABLE orders (id BIGINT PRIMARY KEY, age BIGINT, "
            "CONSTRAINT grown_up CHECK (age >= 18))"
        )
        rows = [(number, 5 if number in {3, 8} else 30) for number in range(10)]
        written = stream.write("id age", *rows)
        assert written.written == 8
        assert [reject.key for reject in written.failed] == [(3,), (8,)]
        assert written.failed[0].record == {"id": 3, "age": 5}
        (problem,) = written.failed[0].problems
        assert problem.rule == "destination"
        assert "grown_up" in problem.reason
        assert [row["key"] for row in quarantine_rows(stream.push, "shop")] == ["3", "8"]

    # Columns.

    def test_columns_come_in_the_order_of_the_map_with_dots_as_underscores(
        self, stream: Stream
    ) -> None:
        stream.write("id zip customer.full_name age", (1, "00123", "Ann", 5))
        assert stream.columns() == ["id", "zip", "customer_full_name", "age"]
        assert stream.rows() == [(1, "00123", "Ann", 5)]

    def test_a_column_that_comes_later_is_added(self, stream: Stream) -> None:
        chunk = Chunk([batch("id", (1,)), batch("id name", (2, "Bob")), batch("id age", (3, 5))])
        stream.open().commit(chunk)
        assert stream.columns() == ["id", "name", "age"]
        assert stream.rows() == [(1, None, None), (2, "Bob", None), (3, None, 5)]

    def test_a_row_that_lacks_a_column_of_its_run_gets_null_there(self, stream: Stream) -> None:
        destination = stream.open()
        destination.commit(Chunk([batch("id name", (1, "Ann"), (2, "Bob"))]))
        destination.commit(Chunk([batch("id", (1,))]))
        assert stream.rows() == [(1, None), (2, "Bob")]

    def test_a_column_that_only_the_user_knows_is_left_alone(self, stream: Stream) -> None:
        stream.execute("CREATE TABLE orders (id BIGINT PRIMARY KEY, note TEXT, name TEXT)")
        stream.execute("INSERT INTO orders VALUES (1, 'mine', 'x')")
        stream.write("id name", (1, "Ann"), (2, "Bob"))
        assert stream.rows() == [(1, "mine", "Ann"), (2, None, "Bob")]

    def test_names_are_compared_without_regard_to_case(self, stream: Stream) -> None:
        stream.execute('CREATE TABLE orders ("Id" BIGINT PRIMARY KEY, "NAME" TEXT)')
        stream.write("id name", (1, "Ann"))
        assert stream.columns() == ["Id", "NAME"]
        assert stream.rows("SELECT * FROM orders") == [(1, "Ann")]

    def test_names_need_not_be_identifiers(self, stream: Stream) -> None:
        stream.push = stream.push.model_copy(update={"key": ('a"b%s:c',)})
        stream.write('a"b%s:c select', (1, "x"))
        stream.write('a"b%s:c select', (1, "y"))
        assert stream.rows("SELECT * FROM orders") == [(1, "y")]

    @pytest.mark.parametrize(
        ("columns", "told"),
        [("id _astrio_x", "astrio's own"), ("id a.b a_b", "same column"), ("id \ud800", "takes")],
    )
    def test_a_name_that_cannot_be_used_is_told(
        self, stream: Stream, columns: str, told: str
    ) -> None:
        values = tuple(range(len(columns.split())))
        with pytest.raises(DestinationError, match=told):
            stream.write(columns, values)

    def test_astrios_own_tables_cannot_be_pushed_to(self, url: str) -> None:
        push = Stream(url, table="_Astrio_run").push
        with pytest.raises(ConfigurationError, match="astrio's own"):
            open_destination(push, "shop")

    def test_a_view_is_refused(self, stream: Stream) -> None:
        stream.execute(
            "CREATE TABLE other (id BIGINT)", "CREATE VIEW orders AS SELECT * FROM other"
        )
        with pytest.raises(DestinationError, match="orders is a view"):
            stream.write("id", (1,))

    def test_a_table_without_a_unique_key_gets_an_index(self, stream: Stream) -> None:
        stream.execute("CREATE TABLE orders (id BIGINT, name TEXT)")
        stream.execute("INSERT INTO orders VALUES (1, 'old')")
        stream.write("id name", (1, "new"), (2, "Bob"))
        assert stream.rows() == [(1, "new"), (2, "Bob")]

    def test_a_table_with_duplicates_cannot_be_upserted(self, stream: Stream) -> None:
        stream.execute("CREATE TABLE orders (id BIGINT)", "INSERT INTO orders VALUES (1), (1)")
        with pytest.raises(DestinationError, match="several rows with the same id"):
            stream.write("id", (1,))
        assert stream.rows() == [(1,), (1,)]

    # Types.

    @pytest.mark.parametrize(
        ("first", "second", "then"),
        [
            ((3, -(2**53)), (0.1,), (3.0, -float(2**53), 0.1)),
            ((0.5,), (2,), (0.5, 2.0)),
            ((1,), (2**63 - 1,), (1, 2**63 - 1)),
            ((2**53 + 1, None), (0.1,), ("9007199254740993", None, "0.1")),
            ((0.1,), (2**53 + 1,), ("0.1", "9007199254740993")),
            ((1, None), ("00123",), ("1", None, "00123")),
            (("00123",), (123,), ("00123", "123")),
            ((1e16, 0.1, -2.0, 1e-7), ("x",), ("1e+16", "0.1", "-2.0", "1e-07", "x")),
            ((True, False, None), ("x",), ("true", "false", None, "x")),
            ((True,), (2,), ("true", "2")),
            (("x",), (True,), ("x", "true")),
            (({"é": [1, None]},), ("x",), ('{"é":[1,null]}', "x")),
            (("x",), ([1.0, "ü"],), ("x", '[1.0,"ü"]')),
            ((None,), (5,), (None, 5)),
            ((None,), ("x",), (None, "x")),
        ],
    )
    def test_a_column_widens_and_keeps_every_value(
        self, stream: Stream, first: Row, second: Row, then: Row
    ) -> None:
        stream.write("id v", *enumerate(first))
        stream.write("id v", *enumerate(second, len(first)))
        values = [row[1] for row in stream.rows()]
        assert [(type(value), value) for value in values] == [(type(v), v) for v in then]

    def test_what_one_page_mixes_is_widened_likewise(self, stream: Stream) -> None:
        stream.write("id a b c", (1, 1, 2**60, True), (2, 0.5, 0.5, 3), (3, None, None, None))
        assert stream.rows() == [
            (1, 1.0, str(2**60), "true"),
            (2, 0.5, "0.5", "3"),
            (3, None, None, None),
        ]

    def test_a_widened_row_is_unchanged_when_it_comes_again(self, stream: Stream) -> None:
        stream.write("id v", (1, 7), (2, True), (3, [1]), (4, "x"), (5, 0.1))
        written = stream.write("id v", (1, 7), (2, True), (3, [1]), (4, "x"), (5, 0.1))
        assert (written.written, written.unchanged) == (0, 5)

    def test_the_key_may_widen(self, stream: Stream) -> None:
        stream.write("id v", (1, "a"), (2, "b"))
        written = stream.write("id v", ("x1", "c"), (2, "new"))
        assert written.written == 2
        assert stream.rows() == [("1", "a"), ("2", "new"), ("x1", "c")]
        assert stream.write("id v", (1, "a")).unchanged == 1

    def test_a_users_empty_text_column_stays_text(self, stream: Stream) -> None:
        stream.execute("CREATE TABLE orders (id BIGINT PRIMARY KEY, zip TEXT)")
        stream.write("id zip", (1, 123))
        assert stream.rows() == [(1, "123")]

    def test_objects_and_lists_are_stored_as_json(self, stream: Stream) -> None:
        stream.write("id a b", (1, {"b": 1, "a": "é"}, [1, [None]]))
        ((_, first, second),) = stream.rows()
        assert self.read_json(first) == {"b": 1, "a": "é"}
        assert self.read_json(second) == [1, [None]]

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
        assert stream.state == StreamState("2026-01-01", {"page": 2})

    def test_the_end_of_a_slice_moves_the_watermark_and_drops_the_resume_point(
        self, stream: Stream
    ) -> None:
        destination = stream.open()
        destination.commit(Chunk([], resume=lambda _: {"page": 2}, watermark=5))
        destination.finish(RunReport(integration="shop"), watermark=7, clear_resume=True)
        destination.close()
        stream.open()
        assert stream.state == StreamState(7, None)

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

    # Quarantine.

    def test_a_rejected_record_is_listed_with_the_contracts_keys(self, stream: Stream) -> None:
        record = {"id": 7, "age": 3}
        reject = rejected(record, (7,), "too young", "too small")
        stream.open("run-9").commit(Chunk([batch("id", rejects=[reject])]))
        (row,) = quarantine_rows(stream.push, "shop")
        assert list(row) == [
            *("id", "integration", "key", "field", "rule", "reason"),
            *("run", "first_seen", "seen", "state"),
        ]
        assert row == row | {
            "integration": "shop",
            "key": "7",
            "field": "age",
            "rule": "min",
            "reason": "too young",
            "run": "run-9",
            "seen": 1,
            "state": "open",
        }

    def test_a_record_is_shown_with_its_source_and_every_problem(self, stream: Stream) -> None:
        record = {"id": 7, "name": "Zoë \ud800 \0", "deep": [{"a": 10**30}]}
        reject = rejected(record, (7,), "too young", "too small")
        stream.open().commit(Chunk([batch("id", rejects=[reject])]))
        (row,) = quarantine_rows(stream.push, "shop")
        shown = quarantine_record(stream.push, "shop", row["id"])
        assert shown["record"] == record
        assert [problem["reason"] for problem in shown["problems"]] == ["too young", "too small"]
        assert {name: shown[name] for name in row} == row

    def test_an_unknown_record_is_told(self, stream: Stream) -> None:
        with pytest.raises(ConfigurationError, match="no record 99"):
            quarantine_record(stream.push, "shop", 99)

    def test_a_record_that_comes_again_keeps_one_open_row(self, stream: Stream) -> None:
        for run_id, age in (("a", 1), ("b", 2)):
            destination = stream.open(run_id)
            rejects = [rejected({"id": 7, "age": age}, (7,)), rejected({"no": "key"})]
            destination.commit(Chunk([batch("id", rejects=rejects)]))
            destination.close()
        rows = quarantine_rows(stream.push, "shop")
        assert [(row["key"], row["seen"], row["run"]) for row in rows] == [
            ("7", 2, "b"),
            (None, 2, "b"),
        ]
        shown = quarantine_record(stream.push, "shop", rows[0]["id"])
        assert shown["record"] == {"id": 7, "age": 2}

    def test_a_row_of_the_quarantine_is_resolved_when_its_key_is_written(
        self, stream: Stream
    ) -> None:
        destination = stream.open()
        rejects = [rejected({"id": key}, (key,)) for key in (7, 8)]
        destination.commit(Chunk([batch("id", rejects=rejects)]))
        destination.commit(Chunk([batch("id", (7,))]))
        assert [row["key"] for row in quarantine_rows(stream.push, "shop")] == ["8"]
        (resolved,) = quarantine_rows(stream.push, "shop", "resolved")
        assert resolved["key"] == "7"
        assert len(quarantine_rows(stream.push, "shop", None)) == 2
        destination.close()
        stream.write("id", (8,))
        assert quarantine_rows(stream.push, "shop") == []

    def test_a_resolved_record_that_is_rejected_again_opens_a_new_row(self, stream: Stream) -> None:
        destination = stream.open()
        for chunk in (batch("id", rejects=[rejected({}, (7,))]), batch("id", (7,))) * 2:
            destination.commit(Chunk([chunk]))
        states = [row["state"] for row in quarantine_rows(stream.push, "shop", None)]
        assert states == ["resolved", "resolved"]

    def test_a_record_written_and_rejected_at_once_stays_open_until_the_next_time(
        self, stream: Stream
    ) -> None:
        destination, reject = stream.open(), rejected({}, (7,))
        destination.commit(Chunk([batch("id", rejects=[reject])]))
        destination.commit(Chunk([batch("id", (7,), rejects=[reject])]))
        assert len(quarantine_rows(stream.push, "shop")) == 1
        destination.commit(Chunk([batch("id", (7,))]))
        assert quarantine_rows(stream.push, "shop") == []

    def test_what_an_abandoned_slice_resolved_is_open_again(self, stream: Stream) -> None:
        destination = stream.open()
        destination.commit(Chunk([batch("id", rejects=[rejected({}, (7,))])]))
        destination.begin_slice(atomic=True)
        destination.commit(Chunk([batch("id", (7,))]))
        destination.abandon()
        assert len(quarantine_rows(stream.push, "shop")) == 1
        destination.begin_slice(atomic=True)
        destination.commit(Chunk([batch("id", (7,))]))
        destination.finish(RunReport(integration="shop"), clear_resume=True)
        assert quarantine_rows(stream.push, "shop") == []

    def test_a_row_that_the_database_refuses_is_not_resolved(self, stream: Stream) -> None:
        stream.execute("CREATE TABLE orders (id BIGINT PRIMARY KEY CHECK (id < 5))")
        destination = stream.open()
        destination.commit(Chunk([batch("id", (7,))]))
        destination.commit(Chunk([batch("id", (7,))]))
        (row,) = quarantine_rows(stream.push, "shop")
        assert (row["key"], row["seen"]) == ("7", 2)

    def test_a_key_of_several_fields_shows_as_a_list(self, stream: Stream) -> None:
        stream.push = stream.push.model_copy(update={"key": ("id", "line")})
        destination = stream.open()
        rejects = [rejected({"x": n}, key) for n, key in enumerate([(1, "é"), (2, None)])]
        destination.commit(Chunk([batch("id line", rejects=rejects)]))
        keys = [row["key"] for row in quarantine_rows(stream.push, "shop")]
        assert keys == ['[1,"é"]', None]
        destination.commit(Chunk([batch("id line", (1, "é"))]))
        assert [row["key"] for row in quarantine_rows(stream.push, "shop")] == [None]

    # The lease.

    def test_a_second_run_is_refused_and_told_who_is_at_work(self, stream: Stream) -> None:
        stream.open()
        with pytest.raises(LeaseHeldError, match=rf"process {os.getpid()} on .+, since 20.+Z"):
            stream.open()

    def test_a_closed_stream_can_be_opened_again(self, stream: Stream) -> None:
        stream.open().close()
        stream.open()

    def test_a_run_may_wait_for_the_other_to_end(self, stream: Stream) -> None:
        first, pauses = stream.open(), list[float]()

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 3:
                first.close()

        stream.open(wait=True, pause=pause)
        assert len(pauses) == 3

    def test_a_lease_lapses_and_its_holder_is_fenced_off(self, stream: Stream) -> None:
        first = stream.open()
        first.commit(Chunk([batch("id", (1,))]))
        second = stream.open(clock=lambda: moment.now() + timedelta(seconds=40))
        with pytest.raises(LeaseHeldError):
            first.commit(Chunk([batch("id", (2,))]))
        with pytest.raises(LeaseHeldError):
            first.renew()
        second.commit(Chunk([batch("id", (3,))], resume=lambda _: {"page": 2}))
        first.abandon(RunReport(integration="shop"), clear_resume=True)
        first.close()
        assert stream.rows() == [(1,), (3,)]
        assert stream_status(stream.push, "shop").unfinished

    def test_a_lease_that_was_lapsed_and_released_is_told_too(self, stream: Stream) -> None:
        first = stream.open()
        stream.open(clock=lambda: moment.now() + timedelta(seconds=40)).close()
        with pytest.raises(LeaseHeldError, match="ended since"):
            first.renew()

    @pytest.mark.parametrize("renewed", [True, False])
    def test_a_lease_lasts_as_long_as_it_is_renewed(self, stream: Stream, renewed: bool) -> None:
        late = timedelta()
        first = stream.open(clock=lambda: moment.now() + late)
        late = timedelta(seconds=25)
        if renewed:
            first.renew()
        if renewed:
            with pytest.raises(LeaseHeldError):
                stream.open(clock=lambda: moment.now() + timedelta(seconds=50))
        else:
            stream.open(clock=lambda: moment.now() + timedelta(seconds=50))

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc")
    def test_the_lease_of_a_killed_process_is_taken_over_at_once(self, stream: Stream) -> None:
        process = child(stream, "print(destination.open(run), flush=True); sys.stdin.read()")
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(LeaseHeldError, match=f"process {process.pid} "):
            stream.open()
        process.kill()
        # Not waited for: a zombie has ended as well.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert stream_status(stream.push, "shop").holder is None
        stream.open()
        process.communicate()

    def test_of_two_runs_that_start_at_once_one_is_refused(self, stream: Stream) -> None:
        code = """
            sys.stdin.readline()
            try:
                destination.open(run)
            except LeaseHeldError:
                print("refused", flush=True)
            else:
                print("opened", flush=True)
            sys.stdin.read()
        """
        children = [child(stream, code), child(stream, code)]
        for process in children:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = sorted(process.stdout.readline() for process in children if process.stdout)
        for process in children:
            process.communicate()
        assert answers == ["opened\n", "refused\n"]

    # Failures.

    def test_rows_and_resume_point_agree_wherever_the_process_is_killed(
        self, stream: Stream
    ) -> None:
        self.kill_at_random_moments(stream, rounds=4)

    @pytest.mark.slow
    def test_rows_and_resume_point_agree_after_very_many_kills(self, stream: Stream) -> None:
        self.kill_at_random_moments(stream, rounds=40)

    def kill_at_random_moments(self, stream: Stream, rounds: int) -> None:
        code = """
            state = destination.open(run)
            done = (state.resume or {"chunks": 0})["chunks"]
            destination.begin_slice(atomic=False)
            while True:
                rows = [(number, "x" * 50) for number in range(done * 500, done * 500 + 500)]
                bad = Reject({"id": -done}, [Problem("id", "min", "no")], (-done - 1,))
                done += 1
                page = Batch(Page(1), ("id", "text"), rows, rows, [bad])
                destination.commit(Chunk([page], lambda _: {"chunks": done}))
                print(done, flush=True)
        """
        for attempt in range(rounds):
            process = child(stream, code)
            assert process.stdout is not None
            for _ in range(attempt % 4 + 1):
                assert process.stdout.readline()
            # Somewhere within the following chunk.
            process.stdout.read((attempt * 7) % 3)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            stream.open("look").close()
            chunks = (stream.state.resume or {"chunks": 0})["chunks"]
            (count,) = stream.rows("SELECT count(*), max(id) + 1 FROM orders")
            assert count == (chunks * 500, chunks * 500)
            assert stream_status(stream.push, "shop").quarantined == chunks


def child(stream: Stream, code: str) -> subprocess.Popen[str]:
    """Run code in another process, with `destination` (not yet open) and `run` at hand."""
    lines = code.strip("\n").splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip())
    body = "\n".join(line[indent:] for line in lines)
    head = (
        "import sys\n"
        "from astrio.blocks.errors import LeaseHeldError\n"
        "from astrio.tasks.batch import Batch, Page, Problem, Reject\n"
        "from astrio.tasks.destinations.base import Chunk, RunIdentity\n"
        "from astrio.tasks.destinations.opening import PushSettings, open_destination\n"
        "push = PushSettings.model_validate_json(sys.argv[1])\n"
        "destination = open_destination(push, 'shop')\n"
        "run = RunIdentity('child', 'shop')\n"
    )
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            head + body,
            stream.push.model_dump_json(context={SHOW_SECRETS: True}),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / ".links")},
    )
