from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from astrio.deployments.demo.oracle import expected_row
from astrio.deployments.demo.shop import Shop

TODAY = date(2026, 3, 1)
TOKEN = {"X-Shop-Token": "demo-token"}


def visit(shop: Shop, headers: dict[str, str] = TOKEN) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(shop)
    return httpx.AsyncClient(transport=transport, base_url="http://shop", headers=headers)


@pytest.fixture
async def api() -> AsyncIterator[httpx.AsyncClient]:
    async with visit(Shop(seed=7, today=TODAY)) as client:
        yield client


async def ask(api: httpx.AsyncClient, **params: Any) -> tuple[dict[str, Any], list[int]]:
    """Ask for a page as patiently as the shop wants it; returns it with the refusals' statuses."""
    refusals = []
    while (answer := await api.get("/orders", params=params)).status_code != 200:
        refusals.append(answer.status_code)
        assert answer.status_code in (429, 500)
    return answer.json(), refusals


async def read_all(api: httpx.AsyncClient, **params: Any) -> tuple[list[dict[str, Any]], list[int]]:
    page, refusals = await ask(api, **params)
    orders = page["orders"]
    while page["next_cursor"]:
        page, refused = await ask(api, **params, cursor=page["next_cursor"])
        orders += page["orders"]
        refusals += refused
    return orders, refusals


async def advance(api: httpx.AsyncClient) -> list[int]:
    changed: list[int] = (await api.post("/admin/advance")).json()["changed"]
    return changed


async def valid(api: httpx.AsyncClient) -> dict[str, Any]:
    answer: dict[str, Any] = (await api.get("/admin/valid-orders")).json()
    return answer


async def test_following_the_cursor_yields_every_order_once(api: httpx.AsyncClient) -> None:
    orders, _ = await read_all(api, limit=250)
    assert len({order["id"] for order in orders}) == len(orders) == 5_000


async def test_orders_come_by_the_time_of_their_last_change(api: httpx.AsyncClient) -> None:
    orders, _ = await read_all(api, limit=250)
    changes = [(order["updated_at"], order["id"]) for order in orders]
    assert changes == sorted(changes)


async def test_a_page_is_as_long_as_asked_for_up_to_250(api: httpx.AsyncClient) -> None:
    lengths = [len((await ask(api, limit=limit))[0]["orders"]) for limit in (1, 250, 251, 9999)]
    assert lengths == [1, 250, 250, 250]


async def test_without_a_limit_a_page_holds_50(api: httpx.AsyncClient) -> None:
    assert len((await ask(api))[0]["orders"]) == 50


async def test_the_total_counts_every_page_of_the_filtered_orders(api: httpx.AsyncClient) -> None:
    middle = "2026-02-01T00:00:00Z"
    orders, _ = await read_all(api, limit=250, updated_at_min=middle)
    page, _ = await ask(api, updated_at_min=middle)
    assert page["total"] == len(orders) < 5_000


async def test_the_lower_bound_is_included(api: httpx.AsyncClient) -> None:
    orders, _ = await read_all(api, limit=250)
    bound = orders[-10]["updated_at"]
    since, _ = await read_all(api, updated_at_min=bound)
    assert since == [order for order in orders if order["updated_at"] >= bound]


async def test_the_lower_bound_may_be_written_in_another_zone(api: httpx.AsyncClient) -> None:
    utc, _ = await ask(api, updated_at_min="2026-02-01T00:00:00Z")
    berlin, _ = await ask(api, updated_at_min="2026-02-01T01:00:00+01:00")
    assert berlin["orders"] == utc["orders"]


async def test_an_order_that_changes_between_two_pages_is_not_missed(
    api: httpx.AsyncClient,
) -> None:
    page, _ = await ask(api, limit=250)
    changed = await advance(api)
    seen = {order["id"] for order in page["orders"]}
    while page["next_cursor"]:
        page, _ = await ask(api, limit=250, cursor=page["next_cursor"])
        seen |= {order["id"] for order in page["orders"]}
    assert len(seen) == 5_000
    assert set(changed) <= seen


@pytest.mark.parametrize("headers", [{}, {"X-Shop-Token": "guess"}])
async def test_a_missing_or_wrong_token_is_answered_401_in_json(headers: dict[str, str]) -> None:
    async with visit(Shop(today=TODAY), headers) as stranger:
        answer = await stranger.get("/orders")
    assert (answer.status_code, answer.json()["error"]["status"]) == (401, 401)


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "many"},
        {"updated_at_min": "yesterday"},
        {"updated_at_min": "2026-02-01T00:00:00"},
        {"cursor": "guess"},
        {"cursor": ""},
        {"cursor": "WzFd"},
        {"cursor": "bnVsbA=="},
    ],
)
async def test_a_request_that_makes_no_sense_is_answered_400(
    api: httpx.AsyncClient, params: dict[str, str]
) -> None:
    assert (await api.get("/orders", params=params)).status_code == 400


async def test_a_cursor_serves_only_the_filter_that_it_was_made_for(
    api: httpx.AsyncClient,
) -> None:
    page, _ = await ask(api)
    params = {"cursor": page["next_cursor"], "updated_at_min": "2026-02-01T00:00:00Z"}
    assert (await api.get("/orders", params=params)).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/health", 200), ("GET", "/nothing", 404), ("GET", "/admin/advance", 405)],
)
async def test_other_paths_answer_plainly(
    api: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    assert (await api.request(method, path)).status_code == status


async def test_reading_everything_meets_one_429_and_one_500(api: httpx.AsyncClient) -> None:
    _, refusals = await read_all(api, limit=250)
    assert refusals == [429, 500]


async def test_after_an_advance_the_next_page_meets_a_429_and_then_a_500(
    api: httpx.AsyncClient,
) -> None:
    await advance(api)
    _, refusals = await ask(api, limit=250)
    assert refusals == [429, 500]


async def test_a_429_says_when_to_come_back(api: httpx.AsyncClient) -> None:
    await advance(api)
    assert (await api.get("/orders")).headers["Retry-After"] == "1"


async def test_the_same_seed_and_day_make_the_same_shop() -> None:
    first, second = Shop(7, TODAY), Shop(7, TODAY)
    async with visit(first) as one, visit(second) as other:
        assert await advance(one) == await advance(other)
        assert (await read_all(one, limit=250))[0] == (await read_all(other, limit=250))[0]


async def test_another_seed_makes_another_shop() -> None:
    async with visit(Shop(7, TODAY)) as one, visit(Shop(8, TODAY)) as other:
        assert (await ask(one))[0]["orders"] != (await ask(other))[0]["orders"]


async def test_the_day_is_the_current_one_unless_given() -> None:
    before = datetime.now(UTC).date()
    assert before <= Shop().today <= datetime.now(UTC).date()


async def test_25_orders_break_the_rules_in_each_of_four_ways(api: httpx.AsyncClient) -> None:
    invalid = set((await valid(api))["invalid"])
    orders, _ = await read_all(api, limit=250)
    ways = Counter(fault(order["customer"]) for order in orders if order["id"] in invalid)
    assert ways == {"bad e-mail": 9, "no e-mail": 5, "minor": 6, "bad birth date": 5}


def fault(customer: dict[str, Any]) -> str:
    if customer.get("email") is None:
        return "no e-mail"
    try:
        born = date.fromisoformat(customer["birth_date"])
    except ValueError:
        return "bad birth date"
    if born > TODAY:
        return "bad birth date"
    return "minor" if born > TODAY.replace(year=TODAY.year - 18) else "bad e-mail"


async def test_an_advance_changes_exactly_37_orders_all_of_them_valid(
    api: httpx.AsyncClient,
) -> None:
    before = await valid(api)
    changed = await advance(api)
    after = await valid(api)
    rows = zip(before["rows"], after["rows"], strict=True)
    assert [old["order_id"] for old, new in rows if old != new] == changed
    assert len(changed) == 37
    assert after["invalid"] == before["invalid"]


async def test_an_incremental_read_after_an_advance_holds_the_37_and_no_faults(
    api: httpx.AsyncClient,
) -> None:
    orders, _ = await read_all(api, limit=250)
    changed = await advance(api)
    since, _ = await read_all(api, limit=250, updated_at_min=orders[-1]["updated_at"])
    assert {order["id"] for order in since} == {*changed, orders[-1]["id"]}
    assert all(expected_row(order, TODAY) for order in since)


async def test_each_advance_is_later_than_the_one_before_and_before_the_day(
    api: httpx.AsyncClient,
) -> None:
    orders, _ = await read_all(api, limit=250)
    latest = orders[-1]["updated_at"]
    for _ in range(2):
        await advance(api)
        since, _ = await read_all(api, limit=250, updated_at_min=latest)
        assert len(since) == 38
        assert latest < since[-1]["updated_at"] < TODAY.isoformat()
        latest = since[-1]["updated_at"]


async def test_nobody_has_a_birthday_around_the_shops_day() -> None:
    async with visit(Shop(today=date(2028, 2, 29))) as api:
        days = [date(2028, 2, day) for day in (26, 28)] + [date(2028, 3, 3)]
        orders, _ = await read_all(api, limit=250)
        ages = [[row_age(order, day) for order in orders] for day in days]
    assert ages[0] == ages[1] == ages[2]


def row_age(order: dict[str, Any], day: date) -> int | None:
    row = expected_row(order, day)
    return row["customer_age"] if row else None
