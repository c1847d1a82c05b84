"""What every SQL destination makes of `push.contract`, and of columns that come later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.contracts.stream import Row, Stream, StreamContract, batch

from astrio.blocks.errors import ContractError, DestinationError
from astrio.tasks.destinations.base import Chunk, Written
from astrio.tasks.destinations.opening import quarantine_records, quarantine_rows, stream_status
from astrio.tasks.report import RunReport

WORDS = ["freeze", "quarantine", "discard_row", "discard_value"]


def accounted(written: Written) -> int:
    """Return how many rows met a fate."""
    lost = len(written.rejected) + len(written.failed)
    return written.written + written.unchanged + written.filtered + lost


class HoldingContract(StreamContract):
    """Inherited by `DestinationContract`."""

    text = "text"
    """What the database calls the type of texts."""

    @pytest.fixture
    def held(self, url: str) -> Iterator[Any]:
        """Make streams into a table that has the row (1, 'Ann')."""
        streams = [Stream(url)]
        streams[0].write("id name", (1, "Ann"), run_id="run-0")

        def make(contract: Any, **push: Any) -> Stream:
            streams.append(Stream(url, contract=contract, **push))
            return streams[-1]

        yield make
        for stream in streams:
            stream.close()

    # A field that the table has no column for.

    @pytest.mark.parametrize("contract", ["freeze", {"columns": "freeze"}])
    def test_a_frozen_table_fails_the_run_and_names_column_and_record(
        self, held: Any, contract: Any
    ) -> None:
        stream = held(contract)
        destination = stream.open()
        rows = batch("id name age", (2, "Bob", None), (3, "Cid", 5))
        with pytest.raises(ContractError) as caught:
            destination.commit(Chunk([rows]))
        assert "The record 3 does not fit" in caught.value.message
        assert "the table orders has no column age" in caught.value.message
        assert stream.rows() == [(1, "Ann")]

    def test_a_record_with_an_unknown_field_is_quarantined(self, held: Any) -> None:
        stream = held("quarantine")
        written = stream.write("id name age", (2, "Bob", None), (3, "Cid", 5))
        assert (written.written, len(written.rejected)) == (1, 1)
        assert stream.rows() == [(1, "Ann"), (2, "Bob")]
        (row,) = quarantine_rows(stream.push, "shop")
        assert (row["key"], row["field"], row["rule"]) == ("3", "age", "contract")
        assert row["reason"] == "the table orders has no column age"

    def test_a_record_with_an_unknown_field_is_left_out_and_counted(self, held: Any) -> None:
        stream = held("discard_row")
        written = stream.write("id name age", (2, "Bob", None), (3, "Cid", 5), (4, "Dee", 6))
        assert (written.written, written.filtered, written.rejected) == (1, 2, [])
        assert written.table.discarded_rows == {"age": 2}
        assert stream.rows() == [(1, "Ann"), (2, "Bob")]
        assert quarantine_rows(stream.push, "shop") == []

    def test_an_unknown_field_is_left_out_and_counted(self, held: Any) -> None:
        stream = held("discard_value")
        written = stream.write("age id name", (None, 2, "Bob"), (5, 3, "Cid"))
        assert (written.written, written.filtered) == (2, 0)
        assert written.table.discarded_values == {"age": 1}
        assert stream.columns() == ["id", "name"]
        assert stream.rows() == [(1, "Ann"), (2, "Bob"), (3, "Cid")]

    @pytest.mark.parametrize("contract", WORDS)
    def test_a_null_needs_no_column(self, held: Any, contract: str) -> None:
        stream = held(contract)
        written = stream.write("id name age", (2, "Bob", None))
        assert written.written == 1
        assert written.table.discarded_values == {}
        assert stream.columns() == ["id", "name"]

    @pytest.mark.parametrize("contract", WORDS)
    def test_pages_of_other_shapes_in_a_chunk_are_held_to_the_same_table(
        self, held: Any, contract: str
    ) -> None:
        stream = held(contract)
        pages = [batch("id name", (2, "Bob")), batch("id", (3,)), batch("name id", ("Dee", 4))]
        assert stream.open().commit(Chunk(pages)).written == 3
        assert stream.rows() == [(1, "Ann"), (2, "Bob"), (3, None), (4, "Dee")]

    @pytest.mark.parametrize("mode", ["append", "upsert", "replace"])
    @pytest.mark.parametrize("contract", ["quarantine", "discard_row", "discard_value"])
    def test_every_mode_keeps_its_account(self, held: Any, contract: str, mode: str) -> None:
        stream = held(contract, mode=mode, key=[] if mode == "append" else ["id"])
        pages = [
            batch("id name", (2, "Bob")),
            batch("id name x", (3, "Cid", 1), (4, "Dee", None)),
            batch("id name", (5, 7), (True, "Eve")),
        ]
        destination = stream.open()
        written = destination.commit(Chunk(pages))
        destination.finish(RunReport(integration="shop", state="completed"), clear_resume=True)
        assert accounted(written) == 5
        before = [] if mode == "replace" else [1]
        kept = {"discard_value": [2, 3, 4, 5]}.get(contract, [2, 4, 5])
        found = [row[0] for row in stream.rows() if row[0] is not None]
        assert sorted(found) == before + kept

    def test_an_atomic_slice_keeps_what_it_quarantined(self, held: Any) -> None:
        stream = held("quarantine", mode="append", key=[])
        destination = stream.open(begin=False)
        destination.begin_slice(atomic=True)
        destination.commit(Chunk([batch("id name x", (2, "Bob", 1), (3, "Cid", None))]))
        destination.abandon(RunReport(integration="shop"))
        assert stream.rows() == [(1, "Ann")]
        (row,) = quarantine_rows(stream.push, "shop")
        assert row["rule"] == "contract"

    def test_a_record_without_any_column_of_the_table_is_still_accounted(self, held: Any) -> None:
        stream = held("discard_value", mode="append", key=[])
        written = stream.write("x y", (1, 2))
        assert [reject.problems[0].reason for reject in written.failed] == [
            "the record has no fields"
        ]

    @pytest.mark.parametrize("contract", ["quarantine", "discard_value"])
    def test_a_key_that_the_table_lacks_quarantines_every_record(
        self, held: Any, contract: str
    ) -> None:
        stream = held(contract, key=["number"])
        written = stream.write("number name", (2, "Bob"))
        assert [reject.key for reject in written.rejected] == [(2,)]
        assert stream.rows() == [(1, "Ann")]

    # A value that its column does not hold.

    @pytest.mark.parametrize("value", [5.5, "x", True, [1], 10**30])
    def test_a_value_of_another_type_is_quarantined_with_its_record(
        self, stream: Stream, url: str, value: Any
    ) -> None:
        stream.write("id v", (1, 5), run_id="run-0")
        held = Stream(url, contract="quarantine")
        written = held.write("id v", (2, value), (3, 6), (4, None))
        held.close()
        assert (written.written, [each.key for each in written.rejected]) == (2, [(2,)])
        assert stream.rows() == [(1, 5), (3, 6), (4, None)]
        (row,) = quarantine_rows(stream.push, "shop")
        assert (row["field"], row["rule"]) == ("v", "contract")
        assert row["reason"].lower().startswith("the column v is bigint, and does not hold")
        (kept,) = quarantine_records(stream.push, "shop", [row["id"]])
        assert kept["record"] == {"id": 2, "v": value}

    @pytest.mark.parametrize(
        ("first", "second"),
        [(5, 2**60), (5.5, 7), ("x", 7), ("x", True), ("x", [1]), (None, "x"), (None, 5)],
    )
    def test_a_value_that_its_column_holds_as_it_is_fits(
        self, stream: Stream, url: str, first: Any, second: Any
    ) -> None:
        stream.write("id v", (1, first), run_id="run-0")
        held = Stream(url, contract="freeze")
        assert held.write("id v", (2, second)).written == 1
        assert held.write("id v", (2, second)).unchanged == 1
        held.close()

    def test_frozen_types_fail_the_run_without_telling_the_value(self, held: Any) -> None:
        stream = held({"types": "freeze"})
        with pytest.raises(ContractError) as caught:
            stream.write("id name", (2, "Bob"), ("seven", "Cid"))
        assert "The record seven does not fit: the column id is" in caught.value.message
        assert "does not hold texts" in caught.value.message
        assert "Cid" not in str(caught.value)

    def test_a_value_alone_may_be_left_out_but_never_that_of_a_key(
        self, stream: Stream, url: str
    ) -> None:
        stream.write("id v", (1, 5), run_id="run-0")
        held = Stream(url, contract="discard_value")
        written = held.write("id v", (2, "x"), ("three", 6))
        held.close()
        assert written.table.discarded_values == {"v": 1}
        assert [each.key for each in written.rejected] == [("three",)]
        assert stream.rows() == [(1, 5), (2, None)]

    def test_a_record_that_breaks_several_terms_is_told_whole(self, held: Any) -> None:
        stream = held("quarantine")
        (reject,) = stream.write("id name x y", ("two", "Bob", 1, 2)).rejected
        assert [problem.field for problem in reject.problems] == ["id", "x", "y"]

    def test_quarantine_goes_before_leaving_out(self, held: Any) -> None:
        stream = held({"columns": "discard_row", "types": "quarantine"})
        written = stream.write("id name x", ("two", "Bob", 1), (3, "Cid", 1))
        assert (len(written.rejected), written.filtered) == (1, 1)
        assert written.table.discarded_rows == {"x": 1}

    def test_columns_may_come_while_types_are_held(self, held: Any) -> None:
        stream = held({"types": "quarantine"})
        written = stream.write("id name age", (2, "Bob", 5), (3, "Cid", "x"))
        assert written.written == 2
        assert stream.rows()[1:] == [(2, "Bob", "5"), (3, "Cid", "x")]
        again = stream.write("id name age", ("four", "Dee", 6))
        assert len(again.rejected) == 1

    def test_types_may_widen_while_columns_are_held(self, held: Any) -> None:
        stream = held({"columns": "discard_value"})
        written = stream.write("id name age", ("two", "Bob", 5))
        assert written.written == 1
        assert stream.columns() == ["id", "name"]
        ((name, how),) = written.table.widened.items()
        assert (name, how.lower()) == ("id", f"bigint to {self.text}")

    def test_a_type_that_only_users_make_names_the_record_it_cannot_hold(
        self, stream: Stream, url: str
    ) -> None:
        if url.startswith("sqlite"):
            pytest.skip("SQLite's columns can all be changed")
        stream.execute("CREATE TABLE orders (id BIGINT PRIMARY KEY, age INTEGER)")
        with pytest.raises(DestinationError, match="The first of them is in the record 7"):
            stream.write("id age", (6, 5), (7, "x"))
        held = Stream(url, contract={"types": "quarantine"})
        assert held.write("id age", (6, 5), (7, "x")).written == 1
        held.close()

    # A table that does not exist.

    @pytest.mark.parametrize("contract", WORDS)
    def test_the_run_that_makes_the_table_decides_how_it_looks(
        self, url: str, contract: str
    ) -> None:
        stream = Stream(url, contract=contract)
        destination = stream.open("run-1")
        destination.commit(Chunk([batch("id v", (1, 5))]))
        destination.commit(Chunk([batch("id v w", (2, 0.5, "x"))]))
        destination.close()
        resumed = stream.open("run-1")
        assert resumed.commit(Chunk([batch("id v x", (3, "x", True))])).written == 1
        resumed.close()
        assert stream.columns() == ["id", "v", "w", "x"]
        destination = stream.open("run-2")
        if contract == "freeze":
            with pytest.raises(ContractError):
                destination.commit(Chunk([batch("id y", (4, 1))]))
        else:
            destination.commit(Chunk([batch("id y", (4, 1))]))
        stream.close()
        assert stream.columns() == ["id", "v", "w", "x"]

    def test_a_table_that_nobody_may_make_fails_the_run_before_anything(self, url: str) -> None:
        stream = Stream(url, contract={"tables": "freeze"})
        with pytest.raises(ContractError, match="orders does not exist"):
            stream.open()
        stream.close()

    @pytest.mark.parametrize("mode", ["append", "upsert", "replace"])
    def test_records_for_a_table_that_nobody_may_make_are_accounted(
        self, url: str, mode: str
    ) -> None:
        for terms in ("quarantine", "discard_row"):
            key = [] if mode == "append" else ["id"]
            stream = Stream(url, contract={"tables": terms}, mode=mode, key=key)
            written = stream.write("id", (1,), (2,))
            stream.close()
            assert accounted(written) == 2
            rejected = 2 if terms == "quarantine" else 0
            assert (len(written.rejected), written.filtered) == (rejected, 2 - rejected)
        assert {row["reason"] for row in quarantine_rows(stream.push, "shop")} == {
            "the table orders does not exist"
        }

    # Columns that come later.

    def unfilled(self, stream: Stream) -> list[str]:
        return [each["column"] for each in stream_status(stream.push, "shop").unfilled]

    def test_a_column_added_later_is_marked_until_every_record_was_read_again(
        self, stream: Stream
    ) -> None:
        stream.write("id name", (1, "Ann"))
        assert self.unfilled(stream) == []
        written = stream.write("id name Age", (2, "Bob", 5))
        assert written.table.added == ["Age"]
        (marked,) = stream_status(stream.push, "shop").unfilled
        assert (marked["column"], marked["kind"].lower(), marked["run"]) == (
            *("age", "bigint"),
            "run-1",
        )
        destination = stream.open()
        destination.commit(Chunk([batch("id name Age", (1, "Ann", 4), (2, "Bob", 5))]))
        report = RunReport(integration="shop", state="completed")
        destination.finish(report, clear_resume=True, reread=True)
        assert self.unfilled(stream) == []

    def test_the_rows_of_a_replaced_table_lack_nothing(self, stream: Stream, url: str) -> None:
        stream.write("id name", (1, "Ann"))
        stream.write("id name age", (2, "Bob", 5))
        replacing = Stream(url, mode="replace")
        replacing.write("id name size", (1, "Ann", 3))
        replacing.close()
        assert self.unfilled(stream) == []
        stream.write("id name size x", (2, "Bob", 4, 1))
        assert self.unfilled(stream) == ["x"]

    def test_a_table_made_anew_has_no_marks_of_the_old_one(self, stream: Stream) -> None:
        stream.write("id", (1,))
        stream.write("id a", (1, 2))
        stream.execute("DROP TABLE orders")
        stream.write("id", (1,))
        assert self.unfilled(stream) == []

    @pytest.mark.parametrize("rows", [[(1, None), (2, 5)]])
    def test_a_column_that_had_no_values_yet_was_not_widened(
        self, stream: Stream, rows: list[Row]
    ) -> None:
        stream.write("id v", rows[0])
        assert stream.write("id v", rows[1]).table.widened == {}

    # What fields were like.

    def test_what_is_remembered_of_the_fields_is_there_at_the_next_opening(
        self, stream: Stream
    ) -> None:
        destination = stream.open()
        assert stream.state.profile is None
        report = RunReport(integration="shop", state="completed")
        for profile in ({"fields": {"é": 1}}, {"fields": {}}, None):
            destination.finish(report, clear_resume=True, profile=profile)
        destination.close()
        stream.open("run-2")
        assert stream.state.profile == {"fields": {}}
