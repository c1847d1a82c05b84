from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.benchmarks import http_server
from tests.benchmarks.http_server import SIZE, Orders

from astrio.deployments.demo.process import running


def page(records: int, start: int, stop: int) -> Any:
    return json.loads(Orders(records, 0).page(start, stop))


def test_a_page_holds_the_orders_asked_for_across_blocks() -> None:
    orders = page(10_000, 998, 2_003)["orders"]
    assert [order["id"] for order in orders] == list(range(50_000_000_998, 50_000_002_003))


def test_orders_are_of_one_size_and_come_by_the_time_of_their_change() -> None:
    orders = page(10_000, 0, 2_000)["orders"]
    texts = [json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in orders]
    changes = [order["updated_at"] for order in orders]
    assert {len(text.encode()) for text in texts} == {SIZE}
    assert changes == sorted(set(changes))


def test_the_last_page_ends_with_the_last_order() -> None:
    last = page(2_500, 2_000, 3_000)
    assert len(last["orders"]) == 500
    assert (last["next_cursor"], last["has_more"], last["total"]) == (None, False, 2_500)


def test_a_page_past_the_end_is_empty() -> None:
    assert page(2_500, 5_000, 6_000)["orders"] == []


@pytest.fixture(scope="module")
def url() -> Any:
    command = [str(Path(http_server.__file__)), "--records", "5000", "--latency-ms", "1"]
    with running(*command) as address:
        yield f"{address}/orders"


@pytest.mark.parametrize("second", [{"cursor": "1000"}, {"offset": 1000}, {"page": 2}])
def test_cursor_offset_and_page_number_lead_to_the_same_page(
    url: str, second: dict[str, str | int]
) -> None:
    answer = httpx.get(url, params={"limit": 1000, **second}, trust_env=False).json()
    assert answer["orders"][0]["id"] == 50_000_001_000
    assert answer["next_cursor"] == "2000"
