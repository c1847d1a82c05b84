"""What a right sync of the demo shop leaves behind, worked out in plain Python.

It shares nothing with the code that it checks: neither mapping, rules nor SQL of astrio.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

from astrio.deployments.demo.orders import Order

_EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[a-z]+")


def expected_rows(orders: Iterable[Order], today: date) -> list[dict[str, Any]]:
    """Return the rows of the table `orders` by `shop-orders.yaml`, by ascending order id."""
    rows = (expected_row(order, today) for order in orders)
    return sorted((row for row in rows if row), key=lambda row: row["order_id"])


def expected_row(order: Order, today: date) -> dict[str, Any] | None:
    """Return an order's row as SQLite holds it, or None where the order breaks a rule."""
    customer = order["customer"]
    age = _age(customer["birth_date"], today)
    email = customer.get("email")
    if age is None or age < 18 or not email or not _EMAIL.fullmatch(email.lower()):
        return None
    state = order["fulfillment_status"] or "open"
    skus = [item["sku"] for item in order["line_items"]]
    return {
        "order_id": order["id"],
        "number": order["number"],
        "status": "cancelled" if order["cancelled_at"] else state,
        "customer_name": f"{customer['first_name']} {customer['last_name']}",
        "customer_email": email.lower(),
        "customer_age": age,
        "customer_phone": customer["phone"],
        "country": order["shipping_address"]["country_code"].upper(),
        "currency": order["currency"],
        "total": float(order["total_price"]),
        "items": len(skus),
        "skus": json.dumps(skus, separators=(",", ":")),
        "created_at": order["created_at"],
        "updated_at": order["updated_at"],
    }


def differences(database: Path, expected: Iterable[dict[str, Any]]) -> list[str]:
    """Compare the table `orders` of a SQLite file with the expected rows, field by field.

    Values are compared together with their types. Returns one sentence for each difference.
    """
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        found = {row["order_id"]: row for row in connection.execute("SELECT * FROM orders")}
    told: list[str] = []
    for row in expected:
        order_id = row["order_id"]
        there = found.pop(order_id, None)
        if there is None:
            told.append(f"Order {order_id} is missing.")
            continue
        told += [
            f"Order {order_id}: {column} is {there[column]!r}, expected {value!r}."
            for column, value in row.items()
            if (type(there[column]), there[column]) != (type(value), value)
        ]
    return told + [f"Order {order_id} should not be there." for order_id in found]


def _age(birth_date: str, today: date) -> int | None:
    try:
        born = date.fromisoformat(birth_date)
    except ValueError:
        return None
    before_birthday = (today.month, today.day) < (born.month, born.day)
    return today.year - born.year - before_birthday if born <= today else None
