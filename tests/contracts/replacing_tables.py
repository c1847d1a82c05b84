"""What mode `replace` keeps of a table that users have built something on."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect
from tests.contracts.staging import Replacing, finish, replaced, staged
from tests.contracts.stream import Stream, batch

from astrio.blocks.errors import DestinationError
from astrio.tasks.destinations.base import Chunk
from astrio.tasks.report import RunReport


class ReplacedTables(Replacing):
    """What users built on a table, and what becomes of its columns."""

    refused_by = "grown_up"
    """How the database names the check of that name: by its condition, if it keeps no names."""

    # What users built on the table.

    def test_views_and_indexes_stay(self, stream: Stream) -> None:
        stream.execute(
            "CREATE TABLE orders (id BIGINT PRIMARY KEY, name TEXT)",
            "CREATE INDEX by_name ON orders (name)",
            "CREATE VIEW names AS SELECT name FROM orders",
        )
        for name in ("Ann", "Bob"):
            replaced(stream, "id name", (1, name))
            assert stream.rows("SELECT * FROM names") == [(name,)]
        indexes = inspect(stream.database).get_indexes("orders")
        assert [index["name"] for index in indexes] == ["by_name"]

    def test_a_table_without_a_unique_key_gets_an_index(self, stream: Stream) -> None:
        stream.execute("CREATE TABLE orders (id BIGINT, name TEXT)")
        stream.execute("INSERT INTO orders VALUES (1, 'a'), (1, 'b'), (NULL, 'c')")
        for number in range(3):
            _, records = replaced(stream, "id name", (number, "new"))
            assert records.deleted == (3, 1, 1)[number]
        (index,) = inspect(stream.database).get_indexes("orders")
        assert index["unique"]
        assert stream.rows() == [(2, "new")]

    def test_a_column_that_only_the_user_knows_stays_and_gets_its_default(
        self, stream: Stream
    ) -> None:
        stream.execute(
            "CREATE TABLE orders (id BIGINT PRIMARY KEY, note TEXT, "
            "kind TEXT NOT NULL DEFAULT 'plain', name TEXT)",
            "INSERT INTO orders VALUES (1, 'mine', 'odd', 'Ann')",
        )
        replaced(stream, "id name", (1, "Ann"))
        assert stream.columns() == ["id", "note", "kind", "name"]
        assert stream.rows() == [(1, None, "plain", "Ann")]

    def test_columns_that_must_be_filled_but_are_not_are_told(self, stream: Stream) -> None:
        stream.execute(
            "CREATE TABLE orders (id BIGINT PRIMARY KEY, name TEXT NOT NULL, zip TEXT NOT NULL)",
            "INSERT INTO orders VALUES (1, 'Ann', '007')",
        )
        destination = stream.open()
        destination.commit(Chunk([batch("id")]))
        with pytest.raises(DestinationError, match=r"no field fills them: name, zip\."):
            destination.commit(Chunk([batch("id", (1,))]))
        destination.abandon(RunReport(integration="shop", state="failed"))
        assert stream.rows() == [(1, "Ann", "007")]

    def test_what_the_table_refuses_fails_its_row_alone(self, stream: Stream) -> None:
        stream.execute(
            "CREATE TABLE orders (id BIGINT PRIMARY KEY, age BIGINT, code TEXT, "
            "CONSTRAINT grown_up CHECK (age >= 18))",
            "CREATE UNIQUE INDEX by_code ON orders (code)",
        )
        rows = [(1, 20, "a"), (2, 3, "b"), (3, 30, "a"), (4, 40, "d")]
        for _ in range(2):
            written, _ = replaced(stream, "id age code", *rows)
            assert [reject.key for reject in written.failed] == [(2,), (3,)]
            reasons = [reject.problems[0].reason for reject in written.failed]
            assert self.refused_by in reasons[0]
            assert not any("staging" in reason for reason in reasons)
        assert stream.rows("SELECT id FROM orders ORDER BY id") == [(1,), (4,)]

    def test_a_view_is_refused(self, stream: Stream) -> None:
        stream.execute(
            "CREATE TABLE other (id BIGINT)", "CREATE VIEW orders AS SELECT * FROM other"
        )
        with pytest.raises(DestinationError, match="orders is a view"):
            stream.open()

    # Columns.

    def test_new_columns_are_added_and_kinds_widened(self, stream: Stream) -> None:
        replaced(stream, "id a b", (1, 5, 7), (2, 6, 2**60))
        _, records = replaced(stream, "id a c b", (1, "x", True, 0.5), (3, 7, None, 2))
        assert records.deleted == 1
        assert stream.columns() == ["id", "a", "b", "c"]
        assert [(row[0], row[1], row[3]) for row in stream.rows()] == [
            (1, "x", True),
            (3, "7", None),
        ]
        assert [float(row[2]) for row in stream.rows()] == [0.5, 2.0]

    def test_a_column_without_values_takes_the_kind_of_the_first(self, stream: Stream) -> None:
        replaced(stream, "id v w", (1, None, None))
        replaced(stream, "id v w", (1, None, 5))
        replaced(stream, "id v w", (1, 0.5, 6))
        assert stream.rows() == [(1, 0.5, 6)]

    def test_a_key_that_was_a_number_may_become_a_text(self, stream: Stream) -> None:
        replaced(stream, "id v", (1, "a"), (2, "b"))
        _, records = replaced(stream, "id v", (1, "c"), ("x", "d"))
        assert records.deleted == 1
        assert stream.rows() == [("1", "c"), ("x", "d")]

    def test_a_table_that_changes_meanwhile_keeps_what_it_got(self, stream: Stream) -> None:
        replaced(stream, "id v", (1, "a"))
        destination = staged(stream, "id v", (2, "b"))
        stream.execute("ALTER TABLE orders ADD COLUMN later TEXT DEFAULT 'now'")
        finish(destination)
        assert [tuple(row[:2]) for row in stream.rows()] == [(2, "b")]
        assert stream.columns() == ["id", "v", "later"]

    def test_a_table_that_is_made_meanwhile_is_replaced(self, stream: Stream) -> None:
        destination = staged(stream, "id v", (2, "b"))
        stream.execute("CREATE TABLE orders (id BIGINT, note TEXT)")
        stream.execute("INSERT INTO orders VALUES (1, 'x'), (2, 'y')")
        report = RunReport(integration="shop")
        destination.finish(report, clear_resume=True)
        assert report.records.deleted == 1
        assert stream.rows("SELECT id, v, note FROM orders") == [(2, "b", None)]
