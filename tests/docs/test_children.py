"""The examples of docs/children.md, run as it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.flows.running import query, run
from tests.support.server import serve

from astrio.flows.reading.read import read_integration

PAGE = (Path(__file__).parents[2] / "docs" / "children.md").read_text(encoding="utf-8")
EXAMPLE, LONG = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
(ORDER,) = re.findall(r"An order `(\{.*?\]\})`", PAGE, re.S)
(TABLE,) = re.findall(r"```text\n(.*?)```", PAGE, re.S)


@pytest.mark.parametrize("own", [False, True])
def test_the_example_makes_the_rows_that_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "shop-orders.yaml"
    short = EXAMPLE[EXAMPLE.index("  children:") :]
    file.write_text(EXAMPLE.replace(short, LONG) if own else EXAMPLE, encoding="utf-8")
    with serve(lambda _: {"orders": [json.loads(ORDER)]}) as server:
        monkeypatch.setenv("SHOP_URL", server.url)
        plan = read_integration(file).integration
        assert [run(plan).records.written, run(plan).records.unchanged] == [1, 1]
    database = tmp_path / "orders.db"
    head, *rows = [line.split() for line in TABLE.splitlines()]
    columns = ["order_id" if name == "orders_id" and own else name for name in head]
    found = query(database, f"SELECT {', '.join(columns)} FROM order_items ORDER BY 1, 2")
    assert [list(map(str, row)) for row in found] == rows
    assert query(database, "SELECT id, status FROM orders") == [(7, "open")]
