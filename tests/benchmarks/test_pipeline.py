"""The benchmark's pipelines do the same: the figures compare like with like."""

from __future__ import annotations

import pytest
from tests.benchmarks.pipeline import compare, table
from tests.support.postgres import CannotStartError


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_both_pipelines_write_the_same_rows(database: str) -> None:
    try:
        costs = compare(database, [500, 2_000], programs=("by hand", "engine"))
    except CannotStartError as error:
        pytest.skip(f"no PostgreSQL server: {error}")
    lines = list(table(database, [500, 2_000], costs))
    assert len(lines) == 2 + 2 * 2 + 2
    assert all(line.count("|") == lines[0].count("|") for line in lines)
