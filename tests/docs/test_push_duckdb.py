"""The example of docs/push-duckdb.md, run as it stands, and what its table of types says."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import duckdb
import pytest
from tests.flows.running import run
from tests.support.server import serve

from astrio.flows.reading.read import read_integration
from astrio.tasks.destinations.sql.duckdb_types import TYPES

PAGE = (Path(__file__).parents[2] / "docs" / "push-duckdb.md").read_text(encoding="utf-8")


def test_the_example_writes_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    file = tmp_path / "shop-orders.yaml"
    file.write_text(example, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    order = {
        "id": 1,
        "customer": {"name": "Ann"},
        "total": "12.50",
        "tags": ["new"],
        "placed_at": "2026-01-02",
    }
    with serve({"/orders": lambda _: {"orders": [order]}}) as server:
        monkeypatch.setenv("API_URL", server.url)
        plan = read_integration(file).integration
        assert [run(plan).records.written, run(plan).records.unchanged] == [1, 1]
    with duckdb.connect(str(tmp_path / "shop.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT * FROM orders").fetchall() == [
            (1, "Ann", "12.50", '["new"]', date(2026, 1, 2))
        ]


@pytest.mark.parametrize("name", TYPES.values())
def test_every_type_is_in_the_table(name: str) -> None:
    assert f"`{name}`" in PAGE
