"""Children in tables of their own, in each database, and against a plain model."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.children import ITEMS, ChildrenContract, item
from tests.contracts.stream import Stream, batch

from astrio.tasks.destinations.base import Chunk


class TestSqlite(ChildrenContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'shop.db'}"


class TestDuckdb(ChildrenContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"duckdb:///{tmp_path / 'shop.duckdb'}"


class TestPostgresql(ChildrenContract):
    @pytest.fixture
    def url(self, postgres_url: str) -> str:
        return postgres_url


class TestMysql(ChildrenContract):
    @pytest.fixture
    def url(self, mysql_url: str) -> str:
        return mysql_url


CHILDREN = st.lists(st.builds(item, st.sampled_from("xyz"), st.integers(0, 1)), max_size=3)
ROWS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab"), CHILDREN), max_size=4)


@settings(max_examples=25, deadline=None)
@given(chunks=st.lists(ROWS, min_size=1, max_size=5))
def test_the_tables_are_what_a_plain_model_says(chunks: list[list[Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stream = Stream(f"sqlite:///{folder}/shop.db", children={"items": "order_items"})
        destination = stream.open()
        model: dict[int, tuple[str, list[Any]]] = {}
        for rows in chunks:
            written = 0
            for key, name, children in rows:
                written += model.get(key) != (name, children)
                model[key] = (name, children)
            result = destination.commit(Chunk([batch("id name items", *rows)]))
            assert (result.written, result.unchanged) == (written, len(rows) - written)
        if model:
            names = {key: name for key, (name, _) in model.items()}
            assert dict(stream.rows("SELECT id, name FROM orders")) == names
        if any(children for _, children in model.values()):
            assert stream.rows(ITEMS) == [
                (key, place, each["sku"], each["n"])
                for key, (_, children) in sorted(model.items())
                for place, each in enumerate(children, start=1)
            ]
        stream.close()
