from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.reading import NO_RETRY, paginator, read
from tests.support.server import answer, serve

from astrio.blocks.errors import (
    ApiAnswerError,
    AstrioError,
    CredentialsError,
    MissingParentsError,
)
from astrio.tasks.children.plan import Children
from astrio.tasks.cursor_reader import CursorReader
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.read_plan import ReadPlan, place_of, request_of

CURSOR = {"type": "cursor", "param": "after", "next": "next", "total": "total"}


class Shop:
    """Customers two by two, and the orders of each two by two; some customers have none to read.

    Attributes:
        orders: how many orders each customer has.
        refused: the status with which a customer's orders are refused.
        at_once: it answers nobody before that many requests have been waiting at the same time.
    """

    def __init__(
        self, orders: dict[int, int], refused: dict[int, int] | None = None, at_once: int = 1
    ) -> None:
        self.orders, self.refused, self.at_once = orders, refused or {}, at_once
        self.running = self.most = 0
        self.met = asyncio.Event()

    async def __call__(self, request: web.Request) -> Any:
        self.running += 1
        self.most = max(self.most, self.running)
        if self.most >= self.at_once:
            self.met.set()
        if request.path != "/customers":
            await asyncio.wait_for(self.met.wait(), 20)
        await asyncio.sleep(0.001)
        self.running -= 1
        if request.path == "/customers":
            return self.paged(request, [{"id": key, "name": f"C{key}"} for key in self.orders])
        customer = int(request.path.split("/")[2])
        if customer in self.refused:
            return answer({"message": "no"}, self.refused[customer])
        count = self.orders[customer]
        return self.paged(request, [order(customer, number) for number in range(count)])

    def paged(self, request: web.Request, records: list[Any]) -> Any:
        start = int(request.query.get("after", "0"))
        following = start + 2 if start + 2 < len(records) else None
        return {"items": records[start : start + 2], "next": following, "total": len(records)}


def order(customer: int, number: int) -> dict[str, Any]:
    return {"id": number, "at": f"2026-01-{customer:02d}T00:00:{number:02d}Z"}


def plan(**more: Any) -> ReadPlan:
    made = paginator(CURSOR)
    cursor = CursorReader("at")

    def part(parent: Any, mark: Any) -> ReadPlan:
        first = ApiRequest("GET", f"/customers/{parent['id']}/orders", params={"since": mark or ""})
        return ReadPlan(made.first(first), made, records="items", cursor=cursor)

    parents = ReadPlan(made.first(ApiRequest("GET", "/customers")), made, records="items")
    limit = more.pop("limit", None)
    children = Children(parents, part, **{"include": ("name",), **more})
    return ReadPlan(parents.first, made, children=children, limit=limit)


ORDERS = {1: 3, 2: 0, 3: 1, 4: 5, 5: 2}
EXPECTED = [
    {**order(customer, number), "parent": {"id": customer, "name": f"C{customer}"}}
    for customer, count in ORDERS.items()
    for number in range(count)
]


def records(pages: list[Any]) -> list[Any]:
    return [record for page in pages for record in page.records]


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_the_children_of_every_parent_are_read_in_order(concurrency: int) -> None:
    shop = Shop(ORDERS, at_once=concurrency)
    with serve(shop) as server:
        pages = await read(server.url, plan(concurrency=concurrency))
    assert records(pages) == EXPECTED
    assert shop.most == concurrency
    assert [page.number for page in pages] == list(range(1, len(pages) + 1))
    assert [page.stop_reason for page in pages if page.stop_reason] == ["no_next"]
    assert (pages[-1].claimed, pages[-1].resume) == (11, None)
    assert pages[-1].parents is not None
    assert (pages[-1].parents.read, pages[-1].parents.missing) == (5, 0)


async def test_reading_goes_on_from_any_stored_position() -> None:
    with serve(Shop(ORDERS)) as server:
        whole = plan()
        pages = await read(server.url, whole)
        for number, page in enumerate(pages[:-1], 1):
            stored = json.loads(json.dumps(page.resume))
            rest = await read(
                server.url,
                replace(
                    whole,
                    resume=request_of(stored),
                    place=place_of(stored),
                    pages_before=number,
                    received_before=sum(each.fetched for each in pages[:number]),
                ),
            )
            assert records(pages[:number]) + records(rest) == EXPECTED
            assert rest[-1].claimed == 11
            assert rest[-1].stop_reason == "no_next"


async def test_no_parents_are_one_empty_page() -> None:
    with serve(Shop({})) as server:
        pages = await read(server.url, plan())
    assert [(page.fetched, page.stop_reason, page.claimed) for page in pages] == [(0, "no_next", 0)]


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_a_parent_without_children_to_read_is_counted_and_not_fatal(status: int) -> None:
    with serve(Shop(ORDERS, {4: status})) as server:
        pages = await read(server.url, plan())
    assert records(pages) == [each for each in EXPECTED if each["parent"]["id"] != 4]
    assert pages[-1].parents is not None
    assert (pages[-1].parents.missing, pages[-1].parents.examples) == (1, ("4",))


@pytest.mark.parametrize(
    ("refused", "most"), [(dict.fromkeys(ORDERS, 404), None), ({1: 404, 3: 410}, 1), ({1: 404}, 0)]
)
async def test_too_many_such_parents_fail_the_reading(refused: dict[int, int], most: Any) -> None:
    with serve(Shop(ORDERS, refused)) as server, pytest.raises(MissingParentsError) as caught:
        await read(server.url, plan(max_missing=most))
    assert "such as 1" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "kind"), [(401, CredentialsError), (400, ApiAnswerError), (403, CredentialsError)]
)
async def test_other_refusals_of_one_parent_fail_the_reading(status: int, kind: Any) -> None:
    with serve(Shop(ORDERS, {3: status})) as server, pytest.raises(kind):
        await read(server.url, plan(missing=(404,)), retry=NO_RETRY)


async def test_a_parent_that_comes_twice_is_read_once() -> None:
    def shop(request: web.Request) -> Any:
        if request.path == "/customers":
            more = "after" not in request.query
            return {"items": [{"id": 1}, {"id": 2}], "next": 2 if more else None, "total": 4}
        return {"items": [{"id": 7, "at": 1}], "next": None, "total": 1}

    made = plan(include=())
    assert made.children is not None
    repeating = paginator({**CURSOR, "allow_repeats": True})
    parents = replace(made.children.parents, paginator=repeating)
    with serve(shop) as server:
        pages = await read(
            server.url, replace(made, children=replace(made.children, parents=parents))
        )
    assert [each["parent"]["id"] for each in records(pages)] == [1, 2]


async def test_a_limit_ends_the_reading() -> None:
    with serve(Shop(ORDERS)) as server:
        pages = await read(server.url, plan(limit=5))
    assert records(pages) == EXPECTED[:5]
    assert pages[-1].stop_reason == "limit"


async def test_a_parent_whose_total_disagrees_lets_everything_be_read_again() -> None:
    shop, lies = Shop(ORDERS), {"left": 1}

    async def handler(request: web.Request) -> Any:
        body = await shop(request)
        if request.path == "/customers/4/orders" and lies["left"]:
            lies["left"] = 0
            body["items"] = body["items"][:1]
        return body

    with serve(handler) as server:
        pages = await read(server.url, plan(concurrency=1))
    again = [page.restart for page in pages].index(True)
    assert records(pages[again:]) == EXPECTED


@pytest.mark.parametrize("advances", [True, False])
async def test_each_parent_has_a_watermark_of_its_own(advances: bool) -> None:
    async def marks(keys: list[str]) -> dict[str, Any]:
        return {"4": "2026-01-04T00:00:09Z"} if "4" in keys else {}

    def advance(mark: Any, cursor: Any) -> Any:
        return max(mark or "", cursor)

    with serve(Shop(ORDERS)) as server:
        made = plan(marks=marks, advance=advance if advances else None)
        pages = await read(server.url, made)
        asked = {
            each.path: each.query["since"][0] for each in server.requests if "since" in each.query
        }
    told = [page.partition for page in pages if page.partition]
    assert asked["/customers/4/orders"] == "2026-01-04T00:00:09Z"
    assert asked["/customers/1/orders"] == ""
    expected = [
        ("1", order(1, 2)["at"]),
        ("3", order(3, 0)["at"]),
        ("4", "2026-01-04T00:00:09Z"),
        ("5", order(5, 1)["at"]),
    ]
    assert told == (expected if advances else [])
    assert not any(page.cursor for page in pages)


def fixed(parent: Any, child: Any) -> Callable[[web.Request], Any]:
    def handler(request: web.Request) -> Any:
        item = parent if request.path == "/customers" else child
        return {"items": [item], "next": None, "total": 1}

    return handler


@pytest.mark.parametrize(
    ("parent", "child", "words"),
    [
        ({"name": "x"}, {"at": 1}, "key at id is null"),
        ({"id": True}, {"at": 1}, "key at id is"),
        ({"id": 1}, {"at": 1, "parent": 7}, "has a field parent of its own"),
        ({"id": "${env:HOME}"}, {"at": 1}, "asks for one of this machine's variables"),
    ],
)
async def test_data_that_cannot_be_used_is_an_error(parent: Any, child: Any, words: str) -> None:
    with serve(fixed(parent, child)) as server, pytest.raises(AstrioError) as caught:
        await read(server.url, plan())
    assert words in str(caught.value)


async def test_children_that_are_no_objects_are_an_error() -> None:
    made = plan()
    assert made.children is not None
    part = made.children.part
    children = replace(made.children, part=lambda p, m: replace(part(p, m), cursor=None))
    with serve(fixed({"id": 1}, "text")) as server, pytest.raises(ApiAnswerError) as caught:
        await read(server.url, replace(made, children=children))
    assert "not an object to hold the field parent" in str(caught.value)


@settings(max_examples=40, deadline=None)
@given(
    counts=st.lists(st.integers(0, 6), max_size=7),
    gone=st.sets(st.integers(1, 7)),
    concurrency=st.integers(1, 4),
)
async def test_every_child_is_read_or_its_parent_is_counted(
    counts: list[int], gone: set[int], concurrency: int
) -> None:
    orders = dict(enumerate(counts, 1))
    with serve(Shop(orders, dict.fromkeys(gone, 404))) as server:
        try:
            pages = await read(server.url, plan(concurrency=concurrency))
        except MissingParentsError:
            assert gone >= orders.keys()
            return
    expected = [(key, number) for key in orders for number in range(orders[key]) if key not in gone]
    assert [(each["parent"]["id"], each["id"]) for each in records(pages)] == expected
    missing = 0 if pages[-1].parents is None else pages[-1].parents.missing
    assert missing == len(gone & orders.keys())
