"""Versions of rows, in each database, and against a plain model."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contracts.history import HistoryContract, pushed, versions
from tests.contracts.stream import Stream, batch


class TestSqlite(HistoryContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'shop.db'}"


class TestDuckdb(HistoryContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"duckdb:///{tmp_path / 'shop.duckdb'}"


class TestPostgresql(HistoryContract):
    @pytest.fixture
    def url(self, postgres_url: str) -> str:
        return postgres_url


ANY = {"rows": "close", "most": "100%"}
RUNS = st.lists(
    st.lists(
        st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", None])), max_size=4),
        min_size=1,
        max_size=2,
    ),
    min_size=1,
    max_size=5,
)


def follow(stream: Stream, runs: list[list[list[tuple[int, Any]]]]) -> None:
    """Push one run after the other, each on a day of its own, and keep the model beside it."""
    model: list[list[Any]] = []  # id, name, from, to
    for on, chunks in enumerate(runs):
        met = {key for chunk in chunks for key, _ in chunk}
        open_ = {each[0]: each for each in model if each[3] is None}
        written = unchanged = 0
        for key, name in (row for chunk in chunks for row in chunk):
            known = open_.get(key)
            if known is not None and known[1] == name:
                unchanged += 1
                continue
            written += 1
            if known is not None and known[2] == on:
                known[1] = name
                continue
            if known is not None:
                known[3] = on
            model.append([key, name, on, None])
            open_[key] = model[-1]
        whole = not met.isdisjoint(open_)  # an empty answer never closes all
        vanished = [each for key, each in open_.items() if whole and key not in met]
        for each in vanished:
            each[3] = on
        made = [batch("id name", *chunk) for chunk in chunks]
        result, report = pushed(stream, on, *made, whole=whole)
        assert (result.written, result.unchanged) == (written, unchanged)
        assert report.records.deleted == len(vanished)
        if model:
            found = versions(stream)
            assert sorted(found, key=repr) == sorted(map(tuple, model), key=repr)


@settings(max_examples=12, deadline=None)
@given(runs=RUNS)
def test_sqlite_has_the_versions_that_a_plain_model_has(runs: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stream = Stream(
            f"sqlite:///{folder}/shop.db",
            mode="history",
            vanished={"rows": "close", "most": "100%"},
        )
        follow(stream, runs)
        stream.close()


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(runs=RUNS)
def test_postgresql_has_the_versions_that_a_plain_model_has(postgres_url: str, runs: Any) -> None:
    stream = Stream(postgres_url, mode="history", vanished=ANY)
    stream.execute("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    follow(stream, runs)
    stream.close()


class TestMysql(HistoryContract):
    @pytest.fixture
    def url(self, mysql_url: str) -> str:
        return mysql_url
