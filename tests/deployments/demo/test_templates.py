"""The two bundled integrations against what they were written for: the shop, and Prefect itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest

from astrio.deployments.demo.oracle import differences
from astrio.deployments.demo.process import running_shop
from astrio.deployments.running import run_flow
from astrio.flows import templates
from astrio.flows.reading.read import check_file, read_integration
from astrio.tasks.options import RunOptions
from astrio.tasks.report import RunReport


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    with running_shop() as url:
        yield url


def template(name: str, **replacements: str) -> Path:
    text = files(templates).joinpath(f"{name}.yaml").read_text("utf-8")
    for old, new in replacements.items():
        text = text.replace(old, new)
    path = Path(f"{name}.yaml")
    path.write_text(text, "utf-8")
    return path


def run(path: Path) -> RunReport:
    result = run_flow(read_integration(path).integration, RunOptions(), bar=False)
    assert result.error is None
    assert result.report.records.balanced
    return result.report


@pytest.mark.parametrize("name", ["shop-orders", "prefect-flow-runs"])
def test_the_file_has_no_mistakes_and_no_warnings(name: str) -> None:
    assert check_file(template(name)) == []


def test_the_shops_valid_orders_arrive_field_by_field_then_the_37_that_changed(
    shop: str, prefect_api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "demo-token")
    path = template("shop-orders", **{"127.0.0.1:8000": shop.removeprefix("http://")})
    first = run(path)
    counts = first.records
    assert first.state == "completed_with_rejects"
    assert (counts.claimed, counts.rejected, counts.written) == (5_000, 25, 4_975)
    assert differences(Path("orders.db"), valid_orders(shop)) == []

    httpx.post(f"{shop}/admin/advance", trust_env=False).raise_for_status()
    second = run(path)
    assert (second.state, second.records.written, second.records.rejected) == ("completed", 37, 0)
    assert differences(Path("orders.db"), valid_orders(shop)) == []
    assert [first.requests.retried, second.requests.retried] == [2, 2]


def valid_orders(shop: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{shop}/admin/valid-orders", trust_env=False, timeout=30)
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


def test_prefects_history_arrives_then_only_the_runs_that_ended_since(
    prefect_api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", prefect_api)
    path = template("prefect-flow-runs")
    first = run(path)
    kept = stored_runs()
    second = run(path)
    assert second.records.written == 1
    assert stored_runs() - kept == {first.flow_run}


def stored_runs() -> set[str]:
    with closing(sqlite3.connect("prefect_history.db")) as connection:
        return {row[0] for row in connection.execute("SELECT run_id FROM flow_runs")}
