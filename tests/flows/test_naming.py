"""How runs are called in the list of runs."""

from __future__ import annotations

from typing import Any

import pytest

from astrio.flows.naming import described


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({}, "shop-orders"),
        (None, "shop-orders"),
        ({"wait": True}, "shop-orders"),
        ({"full_refresh": True}, "shop-orders (full refresh)"),
        ({"dry_run": True, "limit": 5}, "shop-orders (dry run) limit 5"),
        (
            {"since": "2026-01-01", "until": "2026-02-01"},
            "shop-orders since 2026-01-01 until 2026-02-01",
        ),
        ({"limit": 10}, "shop-orders limit 10"),
    ],
)
def test_a_run_is_called_by_its_integration_and_what_it_does_differently(
    options: Any, name: str
) -> None:
    assert described({"integration": {"name": "shop-orders"}, "options": options}) == name
