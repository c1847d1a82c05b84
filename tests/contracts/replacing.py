"""What is true of mode `replace` in every SQL database; each database's tests inherit this."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect
from tests.contracts.replacing_failures import ReplaceFailures
from tests.contracts.replacing_tables import ReplacedTables
from tests.contracts.staging import finish, replaced, staged, staging_tables
from tests.contracts.stream import Stream, batch

from astrio.tasks.destinations.base import Chunk


class ReplaceContract(ReplacedTables, ReplaceFailures):
    """Define a fixture `url`: a database of the test's own, which does not hold a table yet."""

    # Rows.

    def test_the_first_run_makes_the_table(self, stream: Stream) -> None:
        written, records = replaced(stream, "id name", (1, "Ann"), (2, "Bob"))
        assert (written.written, written.unchanged, records.deleted) == (2, 0, 0)
        assert stream.rows() == [(1, "Ann"), (2, "Bob")]
        assert stream.columns() == ["id", "name"]

    def test_the_rows_take_the_place_of_all_others(self, stream: Stream) -> None:
        replaced(stream, "id name", (1, "Ann"), (2, "Bob"), (3, "Cid"))
        written, records = replaced(stream, "id name", (2, "Bob"), (4, "Dan"))
        assert (written.written, written.unchanged, records.deleted) == (2, 0, 2)
        assert stream.rows() == [(2, "Bob"), (4, "Dan")]

    def test_of_a_key_that_comes_twice_the_last_row_wins(self, stream: Stream) -> None:
        destination = staged(stream, "id name", (1, "a"), (1, "a"), (2, "x"))
        written = destination.commit(Chunk([batch("id name", (1, "b"), (2, "x"))]))
        assert (written.written, written.unchanged) == (1, 1)
        finish(destination)
        assert stream.rows() == [(1, "b"), (2, "x")]

    def test_a_row_with_an_empty_key_is_rejected(self, stream: Stream) -> None:
        written, _ = replaced(stream, "id name", (None, "Ann"), (2, "Bob"))
        assert [reject.problems[0].rule for reject in written.rejected] == ["key"]
        assert stream.rows() == [(2, "Bob")]

    def test_without_a_key_every_row_is_kept_and_every_old_one_goes(self, keyless: Stream) -> None:
        replaced(keyless, "id name", (1, "a"), (1, "a"))
        written, records = replaced(keyless, "id name", (1, "a"), (1, "a"), (1, "a"))
        assert (written.written, written.unchanged, records.deleted) == (3, 0, 2)
        assert keyless.rows() == [(1, "a")] * 3

    def test_an_empty_result_empties_the_table_and_keeps_its_columns(self, stream: Stream) -> None:
        replaced(stream, "id name", (1, "Ann"), (2, "Bob"))
        _, records = replaced(stream, "id name")
        assert records.deleted == 2
        assert stream.rows() == []
        assert stream.columns() == ["id", "name"]

    def test_a_result_without_columns_empties_the_table_too(self, stream: Stream) -> None:
        stream.execute("CREATE TABLE orders (name TEXT)", "INSERT INTO orders VALUES ('x')")
        assert replaced(stream, "")[1].deleted == 1
        assert stream.rows("SELECT * FROM orders") == []

    @pytest.mark.parametrize("columns", ["id name", ""])
    def test_an_empty_result_makes_no_table(self, stream: Stream, columns: str) -> None:
        replaced(stream, columns)
        assert not inspect(stream.database).has_table("orders")
        assert staging_tables(stream) == []

    def test_a_run_of_another_mode_goes_on_with_the_table(self, url: str, stream: Stream) -> None:
        replaced(stream, "id name", (1, "Ann"), (2, "Bob"))
        other = Stream(url)
        written = other.write("id name", (1, "Ann"), (2, "Rob"))
        other.close()
        assert (written.written, written.unchanged) == (1, 1)
