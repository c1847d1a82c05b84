"""Whole runs over the children of parents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.flows.api import integration
from tests.flows.running import failed_run, query, run
from tests.support.server import answer, serve

from astrio.flows.integration import Integration


def order(number: int) -> dict[str, Any]:
    return {"id": number, "updated_at": f"2026-01-01T00:00:{number:02d}Z"}


class Shop:
    """Customers, and the orders of each since a time; broken or gone for some of them."""

    def __init__(self, orders: dict[str, list[int]]) -> None:
        self.orders = orders
        self.statuses: dict[str, int] = {}

    def __call__(self, request: web.Request) -> Any:
        if request.path == "/customers":
            keys = list(self.orders)
            start = int(request.query.get("cursor", "0"))
            following = start + 2 if start + 2 < len(keys) else None
            return {"items": [{"id": key} for key in keys[start : start + 2]], "next": following}
        customer = request.raw_path.split("/")[2].replace("%2F", "/")
        if customer in self.statuses:
            return answer({"error": "no"}, self.statuses[customer])
        since = request.query.get("since", "")
        all_ = [order(number) for number in self.orders[customer]]
        chosen = [each for each in all_ if each["updated_at"] >= since]
        start = int(request.query.get("cursor", "0"))
        following = start + 2 if start + 2 < len(chosen) else None
        return {"items": chosen[start : start + 2], "next": following}


CURSOR = {"type": "cursor", "param": "cursor", "next": "$.next"}


def plan(url: str, database: Path, **parent: Any) -> Integration:
    source = {
        "parent": {
            "request": {"path": "/customers"},
            "records": "items",
            "paginate": CURSOR,
            **parent,
        },
        "request": {"path": "/customers/{{parent.id}}/orders"},
        "records": "$.items[*]",
        "incremental": {"cursor": "updated_at", "param": "since"},
    }
    return integration(
        url,
        database,
        source=source,
        map={"customer": "parent.id", "id": "id", "updated_at": "updated_at"},
        push={
            "to": {"url": f"sqlite:///{database}"},
            "table": "orders",
            "mode": "upsert",
            "key": ["customer", "id"],
        },
    )


ORDERS = {"a": [1, 2, 3], "b": [], "c/d": [1], "e": [5, 6, 7, 8]}


def stored(database: Path) -> list[tuple[Any, ...]]:
    return query(database, "SELECT customer, id FROM orders ORDER BY customer, id")


def rows() -> list[tuple[Any, ...]]:
    return [(key, number) for key, numbers in ORDERS.items() for number in numbers]


def marks(database: Path) -> dict[str, str]:
    return dict(query(database, "SELECT partition, watermark FROM _astrio_partition"))


def test_each_parent_goes_on_from_its_own_watermark(tmp_path: Path) -> None:
    database, shop = tmp_path / "o.db", Shop(dict(ORDERS))
    with serve(shop) as server:
        first = run(plan(server.url, database))
        assert marks(database) == {
            "a": '"2026-01-01T00:00:03Z"',
            "c/d": '"2026-01-01T00:00:01Z"',
            "e": '"2026-01-01T00:00:08Z"',
        }
        server.requests.clear()
        shop.orders["new"] = [2]
        second = run(plan(server.url, database))
        asked = {each.target.replace("%3A", ":") for each in server.requests}
    assert (first.records.written, second.records.written, second.records.unchanged) == (8, 1, 3)
    assert first.parents is not None
    assert (first.parents.read, first.parents.missing) == (4, 0)
    assert "/customers/e/orders?since=2026-01-01T00:00:08Z" in asked
    assert "/customers/c%2Fd/orders?since=2026-01-01T00:00:01Z" in asked
    assert "/customers/new/orders" in asked
    assert stored(database) == sorted([*rows(), ("new", 2)])


def test_a_failed_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    database, shop = tmp_path / "o.db", Shop(dict(ORDERS))
    with serve(shop) as server:
        shop.statuses["e"] = 400
        failed_run(plan(server.url, database))
        assert set(marks(database)) == {"a", "c/d"}
        shop.statuses.clear()
        server.requests.clear()
        report = run(plan(server.url, database))
        assert not [each for each in server.requests if each.path.startswith("/customers/a")]
    assert (report.records.fetched, report.records.written) == (8, 8)
    assert report.parents is not None
    assert report.parents.read == 4
    assert stored(database) == rows()


def test_parents_that_are_gone_are_counted_and_told(tmp_path: Path) -> None:
    database, shop = tmp_path / "o.db", Shop(dict(ORDERS))
    shop.statuses["e"] = 404
    with serve(shop) as server:
        report = run(plan(server.url, database))
    assert report.state == "completed"
    assert report.parents is not None
    assert (report.parents.missing, report.parents.examples) == (1, ["e"])
    assert report.warnings == ["The API had no children to read for 1 of 4 parents: e."]


def test_too_many_parents_that_are_gone_fail_the_run(tmp_path: Path) -> None:
    database, shop = tmp_path / "o.db", Shop(dict(ORDERS))
    shop.statuses |= {"a": 404, "e": 410}
    with serve(shop) as server:
        error = failed_run(plan(server.url, database, max_missing="25%"))
        assert "2 of 4 parents (max_missing: 25%)" in str(error)
        shop.statuses.clear()
        assert run(plan(server.url, database)).records.fetched == 8
    assert stored(database) == rows()


@pytest.mark.parametrize("options", [{"since": "2026-01-01T00:00:05Z"}, {"full_refresh": True}])
def test_options_hold_for_every_parent(tmp_path: Path, options: dict[str, Any]) -> None:
    database, shop = tmp_path / "o.db", Shop(dict(ORDERS))
    with serve(shop) as server:
        run(plan(server.url, database))
        before = marks(database)
        report = run(plan(server.url, database), **options)
    assert report.records.fetched == (8 if "full_refresh" in options else 4)
    assert marks(database) == before
