"""The SQLite destination against models of what it must do, with rows of every kind."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.destination import Stream, batch

from astrio.tasks.destinations.base import Chunk
from astrio.tasks.destinations.sql.kinds import Kind, join

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
floats = st.floats(allow_nan=False).map(lambda number: number + 0.0)  # SQLite has no -0.0
ints = st.integers(-(2**70), 2**70) | st.integers(-5, 5) | st.sampled_from([2**53, 2**63, -(2**63)])
scalars = st.none() | st.booleans() | ints | floats | texts | st.sampled_from(["007", "1e5", " 1"])
documents = st.lists(scalars, max_size=3) | st.dictionaries(texts, scalars, max_size=3)
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
    if declared == "BOOLEAN":
        return isinstance(value, bool) and stored == int(value)
    if isinstance(value, dict | list):
        return isinstance(stored, str) and json.loads(stored) == value
    if declared == "BIGINT":
        return type(value) is int and type(stored) is int and stored == value
    if declared == "DOUBLE":
        return type(value) in {int, float} and type(stored) is float and stored == value
    if isinstance(value, bool):
        return bool(stored == str(value).lower())
    if type(value) is int:
        # An integer may have been a double's before its column became text.
        return stored in {str(value), repr(float(value)) if abs(value) <= 2**53 else ""}
    return bool(stored == (value if isinstance(value, str) else repr(value)))


@settings(max_examples=60, deadline=None)
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


@settings(max_examples=60, deadline=None)
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
