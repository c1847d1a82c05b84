"""Records of which only the mapped fields are decoded: the same run as with whole records."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.flows.api import integration
from tests.flows.running import query, run, watermark
from tests.support.server import serve

from astrio.flows.integration import Integration
from astrio.flows.projecting import projection_of
from astrio.tasks.decode.projection import Projection
from astrio.tasks.destinations.opening import quarantine_records, quarantine_rows
from astrio.tasks.projected import Projected

CHANGES: dict[str, Any] = {
    "source": {
        "filter": "not archived",
        "incremental": {"cursor": "meta.at", "param": "since"},
    },
    "map": {"id": "id", "name": "lower(name)", "city": "address.city", "skus": "lines[*].sku"},
    "validate": [{"field": "city", "max": 6}],
}


def order(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"Name {number}",
        "archived": False,
        "address": {"city": "London", "unread": [number]},
        "lines": [{"sku": f"S{number}", "unread": {"deep": 1.50}}],
        "meta": {"at": f"2026-01-01T00:00:{number:02}Z"},
        "unread": {"a": [1, 2, {"b": "é"}]},
        **changes,
    }


ORDERS = [
    order(1),
    order(2, name=17),  # the mapping rejects it
    order(3, archived=True),
    order(4, address={"city": "Amsterdam"}),  # a rule rejects it
    order(5, id=None),  # the destination has no key for it
    order(6, address=None, lines=None),
    order(7, archived="yes", unread="gone"),
    order(8),
    order(9, address="none", name=3),  # its page does not fit
    order(10, lines=[{"sku": "S"}, None, {}]),
]


def answer(request: web.Request) -> Any:
    start = int(request.query.get("cursor", "0"))
    following = start + 4 if start + 4 < len(ORDERS) else None
    return {"items": ORDERS[start : start + 4], "next": following, "total": len(ORDERS)}


def everything(plan: Integration, database: Path) -> list[Any]:
    """Run, and return whatever the run has left."""
    report = run(plan)
    kept = [
        {
            **{name: row[name] for name in ("key", "field", "rule", "reason")},
            "record": quarantine_records(plan.push, plan.name, [row["id"]])[0]["record"],
        }
        for row in quarantine_rows(plan.push, plan.name)
    ]
    rows = query(database, "SELECT id, name, city, skus FROM items ORDER BY id")
    return [report.records, report.pages, report.checkpoint, watermark(database), rows, kept]


def test_a_run_that_decodes_only_what_is_read_leaves_the_same_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve({"/items": answer}) as server:
        part = integration(server.url, tmp_path / "part.db", **CHANGES)
        assert projection_of(part) is not None
        found = everything(part, tmp_path / "part.db")
        monkeypatch.setattr("astrio.flows.planning.projection_of", lambda _: None)
        whole = integration(server.url, tmp_path / "whole.db", **CHANGES)
        assert found == everything(whole, tmp_path / "whole.db")
    records, kept = found[0], found[-1]
    assert (records.fetched, records.filtered, records.rejected, records.written) == (10, 2, 4, 4)
    assert [each["record"] for each in kept] == [ORDERS[place] for place in (1, 3, 8, 4)]


def test_no_record_is_decoded_whole_where_none_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[Any] = []

    def remembered(self: Projection, *how: Any) -> Any:
        decoded.append(original(self, *how))
        return decoded[-1]

    def whole(_: Projected) -> Any:
        raise AssertionError("decoded whole")

    original = Projection.decode
    monkeypatch.setattr(Projection, "decode", remembered)
    monkeypatch.setattr(Projected, "__iter__", whole)
    with serve(
        {"/items": lambda _: {"items": [order(1), order(2), order(8)], "next": None}}
    ) as api:
        report = run(integration(api.url, tmp_path / "items.db", **CHANGES))
    assert report.records.written == 3
    assert [type(body["items"]) for body in decoded] == [Projected]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"source": {"filter": "decimal(price) > 1"}},
        {"map": {"id": "id", "price": "decimal(price)", "found": "$.lines[?(@.n > 1)].n"}},
        {
            "source": {"incremental": {"cursor": "at", "param": "since"}},
            "push": {"to": {"url": "sqlite:///items.db"}, "table": "items", "mode": "append"},
        },
    ],
    ids=["in part", "filtered", "whole", "appended"],
)
def test_decimal_keeps_the_digits_as_sent_and_other_fractions_are_floats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    prices = ["12.50", "1e1", "3.000000000000000000001", "7"]
    records = [
        f'{{"id": {n}, "price": {price}, "rate": {price}, "at": "2026-01-0{n + 1}"}}'
        for n, price in enumerate(prices)
    ]
    body = f'{{"items": [{", ".join(records)}], "next": null}}'
    mapping = {"id": "id", "price": "decimal(price)", "rate": "float(rate)"}
    with serve({"/items": lambda _: web.json_response(text=body)}) as api:
        run(integration(api.url, tmp_path / "items.db", **{"map": mapping, **changes}))
    rows = query(tmp_path / "items.db", "SELECT price FROM items ORDER BY id")
    assert [Decimal(price) for (price,) in rows] == [Decimal(price) for price in prices]
    assert (rows[0], rows[2]) == (("12.50",), ("3.000000000000000000001",))
    if "map" not in changes:
        rates = query(tmp_path / "items.db", "SELECT rate, typeof(rate) FROM items ORDER BY id")
        assert rates == [(12.5, "real"), (10.0, "real"), (3.0, "real"), (7.0, "real")]


def test_decimal_keeps_the_digits_of_children(tmp_path: Path) -> None:
    def shop(request: web.Request) -> Any:
        if request.path == "/customers":
            return {"items": [{"id": 7}]}
        return web.json_response(text='{"items": [{"id": 1, "price": 12.50, "rate": 2.50}]}')

    source = {
        "parent": {
            "request": {"path": "/customers"},
            "records": "items",
            "include": ["id"],
        },
        "request": {"path": "/customers/{{parent.id}}/orders"},
        "paginate": {"type": "none"},
    }
    mapping = {"id": "id", "customer": "parent.id", "price": "decimal(price)", "rate": "rate"}
    with serve(shop) as api:
        run(integration(api.url, tmp_path / "items.db", source=source, map=mapping))
    rows = query(tmp_path / "items.db", "SELECT id, customer, price, rate FROM items")
    assert rows == [(1, 7, "12.50", 2.5)]


@pytest.mark.parametrize(
    "changes",
    [
        {"map": None},
        {"map": {"id": "id", "all": "$"}},
        {"map": {"id": "id", "found": "$.lines[?(@.sku == 'S1')].sku"}},
        {"source": {"records": "$..items[*]"}},
        {"source": {"response": {"success": "next"}}},
        {"source": {"response": {"failed": "error"}}},
        {"source": {"response": {"format": "jsonl"}}},
        {
            "source": {"incremental": {"cursor": "updated_at", "param": "since"}},
            "push": {"to": {"url": "sqlite:///x.db"}, "table": "items", "mode": "append"},
        },
    ],
)
def test_whole_records_are_decoded_where_they_are_looked_at(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    assert projection_of(integration("http://127.0.0.1:1", tmp_path / "x.db", **changes)) is None
