"""What every SQL destination makes of fields and their values."""

from __future__ import annotations

import pytest
from tests.contracts.stream import Row, Stream, StreamContract, batch

from astrio.blocks.errors import (
    ConfigurationError,
    DestinationError,
)
from astrio.tasks.destinations.base import Chunk
from astrio.tasks.destinations.opening import (
    open_destination,
)


class ColumnsContract(StreamContract):
    """Inherited by `DestinationContract`."""

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
