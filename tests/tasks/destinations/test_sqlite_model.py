"""The SQLite destination against models of what it must do, with rows of every kind."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from tests.contracts.stream import Stream, batch

from astrio.blocks.literals import SHOW_SECRETS
from astrio.tasks.destinations.base import Chunk, Written
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.sql.kinds import Kind, join

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
floats = st.floats(allow_nan=False).map(lambda number: number + 0.0)  # SQLite has no -0.0
ints = st.integers(-(2**70), 2**70) | st.integers(-5, 5) | st.sampled_from([2**53, 2**63, -(2**63)])
finite = st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0)
scalars = st.none() | st.booleans() | ints | floats | texts | st.sampled_from(["007", "1e5", " 1"])
nested = st.none() | st.booleans() | ints | finite | texts  # JSON has no infinity
documents = st.lists(nested, max_size=3) | st.dictionaries(texts, nested, max_size=3)
values = scalars | documents
# Each column leans to one kind, so that not everything widens to text at once.
columns = [
    values,
    st.none() | ints,
    st.integers(-9, 9) | floats,
    st.none() | st.booleans(),
    documents,
]


@contextmanager
def fresh() -> Iterator[Stream]:
    with tempfile.TemporaryDirectory() as folder:
        stream = Stream(f"sqlite:///{folder}/shop.db")
        try:
            yield stream
        finally:
            stream.close()


def same(stored: Any, value: Any, declared: str) -> bool:
    """Whether the stored value is exactly the one given, as its column expresses it."""
    if value is None or stored is None:
        return stored is value
    if isinstance(value, dict | list):
        return isinstance(stored, str) and bool(json.loads(stored) == value)
    if declared in NATIVE:
        kinds, expressed = NATIVE[declared]
        return type(value) in kinds and type(stored) is expressed and bool(stored == value)
    return stored in texts_of(value)


NATIVE: dict[str, tuple[set[type], type]] = {
    "BOOLEAN": ({bool}, int),
    "BIGINT": ({int}, int),
    "DOUBLE": ({int, float}, float),
}


def texts_of(value: Any) -> set[str]:
    """Return the texts by which a TEXT column may express the value."""
    if isinstance(value, str):
        return {value}
    if isinstance(value, bool):
        return {str(value).lower()}
    # An integer may have been in a column of doubles before that became text.
    small = isinstance(value, int) and abs(value) <= 2**53
    return {repr(value), repr(float(value))} if small else {repr(value)}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.tuples(*columns), max_size=5), min_size=1, max_size=4))
def test_every_value_is_read_back_exactly(chunks: list[list[tuple[Any, ...]]]) -> None:
    with fresh() as stream:
        destination, given_rows = stream.open(), list[tuple[Any, ...]]()
        for rows in chunks:
            numbered = [(len(given_rows) + n, *row) for n, row in enumerate(rows)]
            written = destination.commit(Chunk([batch("id a b c d e", *numbered)]))
            assert written.written == len(rows)
            given_rows += numbered
        types = [row[0] for row in stream.rows("SELECT type FROM pragma_table_info('orders')")]
        for stored, row in zip(stream.rows(), given_rows, strict=True):
            assert all(map(same, stored, row, types)), (stored, row, types)


records = st.dictionaries(st.sampled_from("abc"), st.one_of(*columns), max_size=3)
terms = st.sampled_from(["evolve", "quarantine", "discard_row", "discard_value"])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(records, max_size=5), min_size=2, max_size=4), terms, terms)
def test_under_a_contract_every_value_is_read_back_or_accounted(
    runs: list[list[dict[str, Any]]], of_columns: str, of_types: str
) -> None:
    with fresh() as stream:
        contract = {"columns": of_columns, "types": of_types}
        stream.push = PushSettings.model_validate(
            stream.push.model_dump(context={SHOW_SECRETS: True}) | {"contract": contract}
        )
        stream.write("id a", (-1, 5), run_id="the first")
        sent, written = list[dict[str, Any]](), Written()
        for run, given_records in enumerate(runs):
            numbered = [{"id": len(sent) + n} | each for n, each in enumerate(given_records)]
            batches = [batch(" ".join(each), tuple(each.values())) for each in numbered]
            sent += numbered
            destination = stream.open(f"run-{run}")
            part = destination.commit(Chunk(batches))
            destination.close()
            written.filtered += part.filtered
            written.written += part.written
            written.rejected += part.rejected
            written.failed += part.failed
            written.table = written.table.plus(part.table)
        check_account(stream, sent, written, of_types)


def check_account(
    stream: Stream, sent: list[dict[str, Any]], written: Written, of_types: str
) -> None:
    """Hold what was sent against the table and against what became of it."""
    types = dict(stream.rows("SELECT name, type FROM pragma_table_info('orders')"))
    with stream.database.connect() as connection:
        query = text("SELECT * FROM orders WHERE id >= 0")
        stored = {row["id"]: dict(row) for row in connection.execute(query).mappings()}
    assert len(stored) == written.written
    lost = written.filtered + len(written.rejected) + len(written.failed)
    assert len(stored) + lost == len(sent)
    left_out = 0
    for record in sent:
        row = stored.get(record["id"], record)
        for name, value in record.items():
            if row.get(name) is None and value is not None:
                left_out += 1
            elif value is not None and row is not record:
                assert same(row[name], value, types[name]), (row[name], value, types[name])
    assert left_out == sum(written.table.discarded_values.values())
    if of_types != "evolve":
        assert written.table.widened == {}


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(
                st.integers(1, 6), st.none() | st.integers(0, 2), st.sampled_from(["x", "y"])
            ),
            max_size=8,
        ),
        max_size=5,
    )
)
def test_the_table_and_the_counts_are_those_of_a_dictionary(
    chunks: list[list[tuple[Any, ...]]],
) -> None:
    with fresh() as stream:
        destination, model = stream.open(), dict[int, tuple[Any, ...]]()
        destination.commit(Chunk([batch("id a b")]))
        for rows in chunks:
            changed = 0
            for row in rows:
                changed += model.get(row[0]) != row
                model[row[0]] = row
            written = destination.commit(Chunk([batch("id a b", *rows)]))
            assert (written.written, written.unchanged) == (changed, len(rows) - changed)
        assert stream.rows() == [model[key] for key in sorted(model)]


@given(*[st.sampled_from(sorted(set(Kind) - {Kind.ANY}, key=lambda kind: kind.name))] * 3)
def test_the_order_in_which_kinds_are_seen_does_not_matter(a: Kind, b: Kind, c: Kind) -> None:
    assert join(a, b) is join(b, a)
    assert join(join(a, b), c) is join(a, join(b, c))
    assert join(a, a) is a
