"""The example of docs/mysql.md, run as it says."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.stream import Stream
from tests.flows.running import run
from tests.support.server import serve

from astrio.flows.integration import Integration
from astrio.flows.reading.read import read_integration
from astrio.tasks.destinations.sql.mysql_types import LONGEST_KEY, TYPES

PAGE = (Path(__file__).parents[2] / "docs" / "mysql.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)


@pytest.fixture
def example(tmp_path: Path) -> Integration:
    file = tmp_path / "shop-orders.yaml"
    file.write_text(EXAMPLE, encoding="utf-8")
    return read_integration(file).integration


def test_orders_are_upserted(
    example: Integration, mysql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders: list[dict[str, Any]] = [
        {"id": 1, "status": "open", "total": "9.50", "items": [{"sku": "a"}]},
        {"id": 2, "status": "paid", "total": "0.10", "items": []},
    ]
    monkeypatch.setenv("WAREHOUSE_URL", mysql_url)
    with serve(lambda _: {"orders": orders}) as server:
        monkeypatch.setenv("SHOP_URL", server.url)
        assert run(example).records.written == 2
        orders[0]["status"] = "paid"
        foretold = run(example, dry_run=True).difference
        assert foretold is not None
        assert (foretold.changed, foretold.unchanged) == (1, 1)
        records = run(example).records
    assert (records.written, records.unchanged) == (1, 1)
    stream = Stream(mysql_url)
    assert stream.rows() == [
        (1, "paid", Decimal("9.5"), '[{"sku":"a"}]'),
        (2, "paid", Decimal("0.1"), "[]"),
    ]
    stream.close()


def test_the_page_names_the_types_that_columns_get() -> None:
    for declared in TYPES.values():
        assert declared.upper() in PAGE
    assert f"{LONGEST_KEY} characters" in PAGE
