"""What every SQL destination does with rows."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contracts.stream import Row, Stream, StreamContract, batch

from astrio.tasks.destinations.base import Chunk
from astrio.tasks.destinations.opening import (
    quarantine_rows,
)
from astrio.tasks.destinations.settings import PushSettings


class RowsContract(StreamContract):
    """Inherited by `DestinationContract`."""

    refused_by = "grown_up"
    """How the database names the check of that name: by its condition, if it keeps no names."""

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

    def test_a_row_of_a_lower_version_never_takes_the_place_of_a_newer(self, url: str) -> None:
        stream = Stream(url, version="n")
        stream.write("id n name", (1, 5, "five"), (1, 4, "four"), (2, 7, "seven"))
        assert stream.rows() == [(1, 5, "five"), (2, 7, "seven")]
        written = stream.write("id n name", (1, 4, "late"), (2, 8, "eight"), (2, 6, "late"))
        assert (written.written, written.unchanged) == (1, 2)
        assert stream.rows() == [(1, 5, "five"), (2, 8, "eight")]
        stream.close()

    def test_of_the_same_version_the_last_row_wins(self, url: str) -> None:
        stream = Stream(url, version="at")
        stream.write("id at name", (1, "2026-01-01T00:00:00Z", "a"))
        stream.write("id at name", (1, "2026-01-01T00:00:00Z", "b"), (2, None, "c"))
        assert [row[2] for row in stream.rows()] == ["b", "c"]
        stream.close()

    def test_a_row_without_a_version_gives_way_and_never_takes_a_place(self, url: str) -> None:
        stream = Stream(url, version="n")
        stream.write("id n", (1, None), (1, 3), (1, None))
        assert stream.rows() == [(1, 3)]
        stream.close()

    def test_versions_that_are_texts_compare_by_code_point(self, url: str) -> None:
        stream = Stream(url, version="v")
        stream.write("id v", (1, "b"), (1, "a"), (1, "B"), (2, "a"), (2, "b"))
        assert stream.rows() == [(1, "b"), (2, "b")]
        stream.close()

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
        assert self.refused_by in problem.reason
        assert [row["key"] for row in quarantine_rows(stream.push, "shop")] == ["3", "8"]
