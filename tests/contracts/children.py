"""What is true of `push.children` in every SQL database; each database's tests inherit this."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.contracts.dry import dry_run, ended
from tests.contracts.stream import Row, Stream, StreamContract, batch
from tests.contracts.vanishing import gone, telling, whole

from astrio.tasks.destinations.base import Chunk, Written

ITEMS = "SELECT orders_id, _astrio_position, sku, n FROM order_items ORDER BY 1, 2"


def item(sku: Any, n: Any = 1, **more: Any) -> dict[str, Any]:
    return {"sku": sku, "n": n, **more}


class ChildrenContract(StreamContract):
    """Define a fixture `url`: a database of the test's own, which does not hold a table yet."""

    @pytest.fixture
    def stream(self, url: str) -> Iterator[Stream]:
        stream = Stream(url, children={"items": "order_items"})
        yield stream
        stream.close()

    def write(self, stream: Stream, *rows: Row) -> Written:
        return stream.write("id name items", *rows)

    def items(self, stream: Stream, query: str = ITEMS) -> list[Row]:
        return stream.rows(query)

    def test_the_objects_of_a_list_become_rows_beside_their_parent(self, stream: Stream) -> None:
        written = self.write(stream, (1, "a", [item("x"), item("y", 2)]), (2, "b", []))
        assert (written.written, written.unchanged) == (2, 0)
        assert self.items(stream) == [(1, 1, "x", 1), (1, 2, "y", 2)]
        assert stream.rows("SELECT id, name FROM orders ORDER BY id") == [(1, "a"), (2, "b")]
        assert stream.columns() == ["id", "name", "_astrio_children"]

    def test_the_same_again_is_unchanged_and_left_alone(self, stream: Stream) -> None:
        self.write(stream, (1, "a", [item("x")]), (2, "b", None))
        stream.execute("UPDATE order_items SET n = 99")
        written = self.write(stream, (1, "a", [item("x")]), (2, "b", []))
        assert (written.written, written.unchanged) == (0, 2)
        assert self.items(stream) == [(1, 1, "x", 99)]

    def test_children_that_change_change_their_parent_and_no_other(self, stream: Stream) -> None:
        self.write(stream, (1, "a", [item("x"), item("y")]), (2, "b", [item("z")]))
        stream.execute("UPDATE order_items SET n = 99 WHERE orders_id = 2")
        written = self.write(stream, (1, "a", [item("y", 5)]), (2, "b", [item("z")]))
        assert (written.written, written.unchanged) == (1, 1)
        assert self.items(stream) == [(1, 1, "y", 5), (2, 1, "z", 99)]

    def test_a_parent_that_changes_alone_leaves_its_children(self, stream: Stream) -> None:
        self.write(stream, (1, "a", [item("x")]))
        stream.execute("UPDATE order_items SET n = 99")
        assert self.write(stream, (1, "b", [item("x")])).written == 1
        assert self.items(stream) == [(1, 1, "x", 99)]

    def test_children_that_are_all_gone_are_deleted(self, stream: Stream) -> None:
        self.write(stream, (1, "a", [item("x")]))
        assert self.write(stream, (1, "a", None)).written == 1
        assert self.items(stream) == []

    def test_of_a_key_that_comes_twice_the_last_children_win(self, stream: Stream) -> None:
        rows = [(1, "a", [item("x")]), (1, "a", [item("x")]), (1, "a", [item("y")])]
        written = self.write(stream, *rows)
        assert (written.written, written.unchanged) == (2, 1)
        assert self.items(stream) == [(1, 1, "y", 1)]
        self.write(stream, (1, "a", [item("q")]), (1, "a", [item("y")]))
        assert self.items(stream) == [(1, 1, "y", 1)]

    def test_children_of_an_older_version_are_not_written(self, url: str) -> None:
        stream = Stream(url, children={"items": "order_items"}, version="name")
        self.write(stream, (1, 5, [item("x")]))
        assert self.write(stream, (1, 4, [item("y")])).unchanged == 1
        assert self.items(stream) == [(1, 1, "x", 1)]
        stream.close()

    def test_children_of_before_the_setting_are_written(self, stream: Stream, url: str) -> None:
        plain = Stream(url)
        plain.write("id name", (1, "a"))
        self.write(stream, (1, "a", [item("x")]))
        plain.write("id name", (1, "a"))  # forgets what it knew of children
        stream.execute("DELETE FROM order_items")
        self.write(stream, (1, "a", [item("x")]))
        assert self.items(stream) == [(1, 1, "x", 1)]
        plain.close()

    # Columns.

    def test_columns_come_and_widen_by_the_rules_of_other_tables(self, stream: Stream) -> None:
        self.write(stream, (1, "a", [item("x", 1)]))
        written = self.write(
            stream, (1, "a", [item("x", 1)]), (2, "b", [item("y", "many", tags=["t"], at=None)])
        )
        assert sorted(written.table.added) == ["order_items.at", "order_items.tags"]
        assert list(written.table.widened) == ["order_items.n"]
        assert self.items(stream) == [(1, 1, "x", "1"), (2, 1, "y", "many")]

    def test_values_of_every_kind_are_kept(self, stream: Stream) -> None:
        value = item("x", 1.5, ok=True, big=10**30, d=Decimal("1.50"), o={"a": [1]})
        value["at"] = datetime(2026, 1, 1, tzinfo=UTC)
        self.write(stream, (1, "a", [value]))
        assert len(stream.rows("SELECT * FROM order_items")) == 1

    def test_a_key_of_several_fields_and_columns_of_other_names(self, url: str) -> None:
        child = {"table": "order_items", "key": ["sku"], "parent": ["shop", "order%"]}
        stream = Stream(url, key=["shop.id", "id"], children={"lines.all": child})
        rows = [("a", 1, [item("x"), item("y")]), ("b", 1, [item("x")])]
        stream.write("shop.id id lines.all", *rows)
        stream.write("shop.id id lines.all", ("a", 1, [item("y", 7)]), rows[1])
        found = stream.rows('SELECT shop, "order%", sku, n FROM order_items ORDER BY 1, 3')
        assert found == [("a", 1, "y", 7), ("b", 1, "x", 1)]
        stream.close()

    def test_a_parent_s_key_that_becomes_a_text_does_so_in_both(self, stream: Stream) -> None:
        self.write(stream, (1, "a", [item("x")]))
        self.write(stream, ("k", "b", [item("y")]))
        assert self.items(stream) == [("1", 1, "x", 1), ("k", 1, "y", 1)]

    # Children that cannot be written.

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            ("text", "is no list of objects"),
            ([item("x"), 5], "element 2 is none"),
            ([{"orders_id": 5}], "the column of the parent's key"),
            ([{"_astrio_x": 5}], "a name of astrio's own"),
            ([{"a.b": 1, "A_B": 2}], "whose column 'a.b' has already"),
            ([{"": 1}], "whose name no database takes"),
        ],
    )
    def test_a_record_whose_children_are_none_is_rejected(
        self, stream: Stream, value: Any, words: str
    ) -> None:
        written = self.write(stream, (1, "a", value), (2, "b", [item("x")]))
        (reject,) = written.rejected
        assert (reject.key, reject.problems[0].field) == ((1,), "items")
        assert words in reject.problems[0].reason
        assert self.items(stream) == [(2, 1, "x", 1)]

    @pytest.mark.parametrize("value", [[item("x"), item("x")], [item(None)]])
    def test_children_that_cannot_be_told_apart_reject_their_parent(
        self, url: str, value: Any
    ) -> None:
        child = {"table": "order_items", "key": ["sku"]}
        stream = Stream(url, children={"items": child})
        assert len(self.write(stream, (1, "a", value)).rejected) == 1
        stream.close()

    @pytest.mark.parametrize("bad", ["nul \0", "half \ud800", object(), {"a": float("nan")}])
    def test_a_child_that_cannot_be_stored_fails_its_parent_alone(
        self, stream: Stream, bad: Any
    ) -> None:
        written = self.write(stream, (1, "a", [item("x"), item(bad)]), (2, "b", [item("y")]))
        lost = [*written.failed, *written.rejected]
        assert [each.key for each in lost] == [(1,)]
        assert (written.written, self.items(stream)) == (1, [(2, 1, "y", 1)])
        assert stream.rows("SELECT id FROM orders") == [(2,)]

    def test_a_child_that_the_database_refuses_fails_its_parent_alone(self, stream: Stream) -> None:
        stream.execute(
            "CREATE TABLE order_items (orders_id BIGINT, _astrio_position BIGINT, "
            "sku VARCHAR(20), n BIGINT CHECK (n > 0))"
        )
        rows = [(1, "a", [item("x"), item("y", -1)]), (2, "b", [item("z")]), (3, "c", [])]
        written = self.write(stream, *rows)
        assert [each.key for each in written.failed] == [(1,)]
        assert written.failed[0].problems[0].reason.startswith("a row of order_items: ")
        assert stream.rows("SELECT id FROM orders ORDER BY id") == [(2,), (3,)]
        assert self.items(stream) == [(2, 1, "z", 1)]
        assert self.write(stream, (2, "b", [item("z", -5)])).written == 0
        assert self.items(stream) == [(2, 1, "z", 1)]

    # Parents that go.

    def test_children_go_with_a_parent_that_vanishes(self, url: str) -> None:
        rule = {"rows": "delete", "most": "50%"}
        stream = Stream(url, children={"items": "order_items"}, vanished=rule)
        rows = [(number, "a", [item("x")]) for number in range(4)]
        whole(stream, batch("id name items", *rows))
        whole(stream, batch("id name items", *rows[1:]))
        assert [row[0] for row in self.items(stream)] == [1, 2, 3]
        stream.close()

    @pytest.mark.parametrize(("rows", "left"), [("mark", [1, 2]), ("delete", [2])])
    def test_children_go_with_a_parent_that_is_told_to_be_gone(
        self, url: str, rows: str, left: list[int]
    ) -> None:
        deleted = {"when": "gone", "rows": rows}
        stream = Stream(url, children={"items": "order_items"}, deleted=deleted)
        self.write(stream, (1, "a", [item("x")]), (2, "b", [item("x")]))
        stream.open().commit(Chunk([telling("id name items", gone=[gone(1)])]))
        assert [row[0] for row in self.items(stream)] == left
        stream.close()

    # Transactions.

    def test_a_chunk_that_is_rolled_back_leaves_no_child(self, stream: Stream) -> None:
        self.write(stream, (1, "a", [item("x")]))
        destination = stream.open()
        page = batch("id name items", (1, "b", [item("y")]))
        with pytest.raises(ZeroDivisionError):
            destination.commit(Chunk([page], resume=lambda _: {"x": 1 // 0}))
        assert self.items(stream) == [(1, 1, "x", 1)]

    def test_a_dry_run_foretells_parents_and_leaves_their_children(self, stream: Stream) -> None:
        self.write(stream, (1, "a", [item("x")]), (2, "b", [item("x")]))
        page = batch(
            "id name items", (1, "a", [item("y")]), (2, "b", [item("x")]), (3, "c", [item("z")])
        )
        with dry_run(stream) as destination:
            found = ended(destination, Chunk([page])).difference
        assert found is not None
        assert (found.new, found.changed, found.unchanged) == (1, 1, 1)
        assert self.items(stream) == [(1, 1, "x", 1), (2, 1, "x", 1)]
        written = stream.open().commit(Chunk([page]))
        assert (written.written, written.unchanged) == (2, 1)
