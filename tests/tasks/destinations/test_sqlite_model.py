"""The SQLite destination against models of what it must do, with rows of every kind."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.stream import Stream, batch

from astrio.tasks.destinations.base import Chunk
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
