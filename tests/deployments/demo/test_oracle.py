from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from astrio.deployments.demo.oracle import differences, expected_row, expected_rows

TODAY = date(2026, 3, 1)


def order(**changes: Any) -> dict[str, Any]:
    customer = {
        "first_name": "Zoë",
        "last_name": "O'Brien",
        "email": "Zoe.OBrien@example.com",
        "birth_date": "2008-03-01",
        "phone": None,
    }
    return {
        "id": 5_200_000_000_017,
        "number": "S-1",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-02T00:00:00Z",
        "cancelled_at": None,
        "fulfillment_status": None,
        "currency": "EUR",
        "total_price": "12.50",
        "customer": customer | changes.pop("customer", {}),
        "shipping_address": {"city": "Lyon", "country_code": "fr"},
        "line_items": [{"sku": "A-1"}, {"sku": "B-2"}],
    } | changes


def test_a_valid_order_becomes_the_row_that_the_mapping_describes() -> None:
    assert expected_row(order(), TODAY) == {
        "order_id": 5_200_000_000_017,
        "number": "S-1",
        "status": "open",
        "customer_name": "Zoë O'Brien",
        "customer_email": "zoe.obrien@example.com",
        "customer_age": 18,
        "customer_phone": None,
        "country": "FR",
        "currency": "EUR",
        "total": 12.5,
        "items": 2,
        "skus": '["A-1","B-2"]',
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-02T00:00:00Z",
    }


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"fulfillment_status": "shipped"}, "shipped"),
        ({"fulfillment_status": "shipped", "cancelled_at": "2026-01-02T00:00:00Z"}, "cancelled"),
    ],
)
def test_a_cancellation_outweighs_the_shipping(changes: dict[str, Any], status: str) -> None:
    row = expected_row(order(**changes), TODAY)
    assert row is not None
    assert row["status"] == status


@pytest.mark.parametrize(
    "customer",
    [
        {"email": None},
        {"email": "zoe(at)example.com"},
        {"birth_date": "2008-03-02"},
        {"birth_date": "2027-01-01"},
        {"birth_date": "1990-02-30"},
    ],
)
def test_an_order_that_breaks_a_rule_has_no_row(customer: dict[str, Any]) -> None:
    assert expected_row(order(customer=customer), TODAY) is None


def test_rows_come_by_their_id() -> None:
    rows = expected_rows([order(id=3), order(id=1), order(id=2)], TODAY)
    assert [row["order_id"] for row in rows] == [1, 2, 3]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE orders (order_id INTEGER, number, total)")
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", [(1, "S-1", 5.0), (2, "", 5)])
        connection.commit()
    return path


ROWS = [{"order_id": 1, "number": "S-1", "total": 5.0}, {"order_id": 2, "number": "", "total": 5}]


def test_equal_tables_have_no_differences(database: Path) -> None:
    assert differences(database, ROWS) == []


def test_a_value_of_another_type_is_a_difference(database: Path) -> None:
    told = differences(database, [ROWS[0], ROWS[1] | {"total": 5.0}])
    assert told == ["Order 2: total is 5, expected 5.0."]


def test_a_missing_row_and_a_row_too_many_are_differences(database: Path) -> None:
    told = differences(database, [ROWS[0], ROWS[1] | {"order_id": 3}])
    assert told == ["Order 3 is missing.", "Order 2 should not be there."]
