"""The examples of docs/partitions.md, run as they say."""

from __future__ import annotations

import asyncio
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from tests.flows.running import query
from tests.support.command import astrio
from tests.support.server import serve

from astrio.flows.engine import engine
from astrio.flows.parting import PartRun
from astrio.flows.partitioning import PartitionSettings
from astrio.flows.reading.read import read_integration
from astrio.tasks.options import PartOptions

PAGE = (Path(__file__).parents[2] / "docs" / "partitions.md").read_text(encoding="utf-8")
STORES, MONTHLY = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
((COMMAND, PRINTED),) = re.findall(r"```console\n\$ astrio (.*?)\n(.*?)```", PAGE, re.S)


def service(request: Any) -> Any:
    order = {"status": "paid", "updated_at": "2026-01-01T10:00:00Z"}
    return {"orders": [{"id": number, **order} for number in (1, 2)]}


def test_the_example_runs_every_partition(tmp_path: Path, prefect_api: str) -> None:
    (tmp_path / "store-orders.yaml").write_text(STORES, encoding="utf-8")
    with serve(service) as server:
        variables = {"SHOP_URL": server.url, "PREFECT_API_URL": prefect_api}
        found = astrio(*shlex.split(COMMAND), folder=tmp_path, environment=variables)
    assert found.code == 0, found.err
    told = [line.split() for line in found.out.splitlines()]
    assert [line for line in PRINTED.splitlines() if line.split() not in told] == []
    rows = query(tmp_path / "orders.db", "SELECT store, id FROM orders ORDER BY store, id")
    assert rows == [(store, n) for store in ("berlin", "lisbon", "oslo") for n in (1, 2)]


def test_the_example_of_months_asks_for_each_month(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "monthly-orders.yaml"
    file.write_text(MONTHLY, encoding="utf-8")
    plan = read_integration(file).integration
    assert plan.partitions is not None
    with serve(service) as server:
        monkeypatch.setenv("SHOP_URL", server.url)
        for name in ("month=2026-01", "month=2026-02", "month=2026-03"):
            asyncio.run(engine(PartRun(plan, PartOptions(partition=name))))
        asked = [each.query["month"] for each in server.requests]
    assert asked == [["2026-01"], ["2026-02"], ["2026-03"]]
    assert query(tmp_path / "orders.db", "SELECT count(*) FROM months") == [(6,)]


def test_every_key_is_in_the_table() -> None:
    names = [field.alias or name for name, field in PartitionSettings.model_fields.items()]
    assert [name for name in names if f"| `{name}` |" not in PAGE] == []
