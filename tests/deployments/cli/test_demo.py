"""`astrio demo`, once, as a newcomer runs it; then its third integration once more."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.command import Ended, astrio

from astrio.deployments.demo.oracle import differences
from astrio.deployments.demo.shop import Shop


@dataclass
class Shown:
    folder: Path
    demo: Ended
    again: Ended
    valid: list[dict[str, Any]]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, prefect_api: str) -> Shown:
    start = tmp_path_factory.mktemp("demo")
    folder, server = start / "astrio-demo", {"PREFECT_API_URL": prefect_api}
    demo = astrio("demo", folder=start, environment=server)
    assert demo.code == 0, demo.err
    words = ("run", "prefect-flow-runs.yaml", "--json")
    again = astrio(*words, folder=folder, environment=server)
    ((latest,),) = rows(folder / "orders.db", "SELECT max(updated_at) FROM orders")
    day = date.fromisoformat(latest[:10]) + timedelta(days=1)
    return Shown(folder, demo, again, asyncio.run(valid_orders(day)))


async def valid_orders(day: date) -> list[dict[str, Any]]:
    """Ask a shop that opened on that day, and changed its orders once, for its own oracle.

    The demo's last changes are dated an hour before its day began.
    """
    transport = httpx.ASGITransport(app=Shop(today=day))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        (await client.post("/admin/advance")).raise_for_status()
        answer = await client.get("/admin/valid-orders")
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


def rows(database: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def reports(shown: Shown, database: str, name: str) -> list[dict[str, Any]]:
    query = f"SELECT report FROM _astrio_run WHERE integration = '{name}' ORDER BY started_at"
    return [json.loads(row[0]) for row in rows(shown.folder / database, query)]


def test_the_demo_ends_well_and_says_what_to_do_next(shown: Shown) -> None:
    assert shown.demo.code == 0, shown.demo.err
    assert "Act 1" in shown.demo.out
    assert "4,975 written" in shown.demo.out
    assert "Quarantined: 25 records" in shown.demo.out
    assert "Next steps" in shown.demo.out
    assert "Traceback" not in shown.demo.err


def test_the_orders_equal_the_shops_own_field_by_field(shown: Shown) -> None:
    assert len(shown.valid) == 4_975
    assert differences(shown.folder / "orders.db", shown.valid) == []


def test_the_second_run_wrote_only_what_had_changed(shown: Shown) -> None:
    first, second = reports(shown, "orders.db", "shop-orders")
    assert (first["records"]["written"], first["records"]["rejected"]) == (4_975, 25)
    assert (second["records"]["written"], second["records"]["rejected"]) == (37, 0)
    assert second["window"]["start"] is not None


def test_every_rejected_order_is_in_the_quarantine(shown: Shown) -> None:
    query = "SELECT count(DISTINCT key) FROM _astrio_quarantine WHERE state = 'open'"
    assert rows(shown.folder / "orders.db", query) == [(25,)]


def test_signed_webhooks_become_rows_and_a_forged_one_is_refused(shown: Shown) -> None:
    assert "20 of 20 signed webhooks accepted" in shown.demo.out
    assert "1 forged webhook refused (401)" in shown.demo.out
    live = rows(shown.folder / "orders.db", "SELECT order_id, updated_at FROM orders_live")
    latest = "SELECT order_id, updated_at FROM orders ORDER BY updated_at DESC, order_id DESC"
    synced = dict(rows(shown.folder / "orders.db", latest))
    assert len(live) == 20
    # The shop that sends them has not changed its orders yet.
    assert all(order in synced and at <= synced[order] for order, at in live)


def test_a_dead_letter_is_shown_and_replayed(shown: Shown) -> None:
    assert "the first receiver answered 503, 503, 204: delivered" in shown.demo.out
    assert "a dead letter after 4 attempts" in shown.demo.out
    assert "replayed: answered 204" in shown.demo.out


def test_prefects_own_runs_of_the_demo_are_in_the_history(shown: Shown) -> None:
    reported = [report["flow_run"] for report in reports(shown, "orders.db", "shop-orders")]
    kept = rows(shown.folder / "prefect_history.db", "SELECT run_id, state FROM flow_runs")
    assert {(run, "COMPLETED") for run in reported} <= set(kept)


def test_the_history_run_again_writes_only_what_is_new(shown: Shown) -> None:
    assert shown.again.code == 0, shown.again.err
    first, _ = reports(shown, "prefect_history.db", "prefect-flow-runs")
    records = shown.again.json()["records"]
    new = rows(
        shown.folder / "prefect_history.db",
        f"SELECT count(*) FROM flow_runs WHERE run_id = '{first['flow_run']}'",
    )
    assert new == [(1,)]
    assert records["written"] == 1
    assert records["unchanged"] == records["fetched"] - 1 >= 2
