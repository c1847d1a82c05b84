"""The benchmark's pipelines do the same: the figures compare like with like."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.benchmarks.pipeline import compare, table
from tests.benchmarks.programs import ARROW, BY_HAND, BY_HTTPX, ENGINE, REST_API, missing
from tests.support.postgres import CannotStartError

DATABASES = pytest.mark.parametrize("database", ["sqlite", "postgresql"])


def lines_of(database: str, programs: Sequence[str]) -> list[str]:
    """Return the benchmark's tables; it compares the rows itself."""
    try:
        costs = compare(database, [500, 2_000], programs)
    except CannotStartError as error:
        pytest.skip(f"no PostgreSQL server: {error}")
    return list(table(database, [500, 2_000], costs))


@DATABASES
def test_both_pipelines_write_the_same_rows(database: str) -> None:
    lines = lines_of(database, (BY_HAND, ENGINE))
    assert len(lines) == (2 + 2 * 2) + 1 + (2 + 2)
    for part in (lines[: lines.index("")], lines[lines.index("") + 1 :]):
        assert all(line.count("|") == part[0].count("|") for line in part)


@pytest.mark.slow
@DATABASES
def test_so_do_the_other_forms_and_dlt_where_it_is_installed(database: str) -> None:
    programs = [each for each in (BY_HTTPX, ENGINE, ARROW, REST_API) if not missing(each)]
    assert lines_of(database, programs)
