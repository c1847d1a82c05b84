"""kill -9 at a named point, and run again: each record has one effect, and the report balances."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.flows.running import Faulty, run
from tests.support.server import serve
from tests.support.strict_api import StrictApi
from tests.tasks.destinations.api.killing import POINTS, killed
from tests.tasks.destinations.api.pushing import api, integration, upsert

from astrio.flows.integration import Integration

RECORDS = [{"id": number, "name": f"n{number}", "updated_at": "x"} for number in range(8)]
LOOKUP = {"path": "/contacts", "params": {"id": "{{id}}"}, "found": "count(results) > 0"}
WAYS: dict[str, dict[str, Any]] = {
    "keyed": {"request": {"path": "/contacts", "idempotency_key": True}},
    "looked-up": {"lookup": LOOKUP},
    "in batches": {"request": {"path": "/contacts", "idempotency_key": True}, "batch": 2},
}
PLACES = [
    (point, times, after) for point in POINTS for times in (1, 2, 3) for after in (False, True)
]


@contextmanager
def pushing(
    mode: str, way: str, *, durable: bool = True
) -> Iterator[tuple[Integration, StrictApi]]:
    """Yield an integration that reads eight records by cursor or offset, and what it pushes to."""
    crm = StrictApi()
    paginate = (
        {"type": "cursor", "param": "cursor", "next": "next"}
        if durable
        else {"type": "offset", "param": "cursor", "limit_param": "size", "limit": 3}
    )
    source = Faulty(RECORDS, size=3)
    with source.serving(), serve(crm) as server:
        more = upsert() if mode == "upsert" else {"push": {"key": ["id"]}}
        plan = integration(source.server, api(server.url, **WAYS[way]), **more)
        document = plan.model_dump(mode="json", by_alias=True, exclude_none=True)
        document["source"] |= {
            "request": {"path": "/items"},
            "records": "$.items",
            "paginate": paginate,
        }
        yield Integration.model_validate(document), crm


def check(plan: Integration, crm: StrictApi) -> None:
    report = run(plan)
    assert report.records.balanced
    assert report.records.failed == 0
    sent = [{key: each[key] for key in ("id", "name")} for each in RECORDS]
    assert sorted(crm.effects, key=lambda each: each["id"]) == sent
    assert crm.misused == []


@pytest.mark.parametrize(("point", "times", "after"), PLACES)
def test_a_run_that_is_killed_is_completed_by_the_next_one(
    point: str, times: int, after: bool
) -> None:
    chance = random.Random(f"{point}{times}{after}")
    mode, way = chance.choice(["append", "upsert"]), chance.choice(list(WAYS))
    with pushing(mode, way, durable=chance.random() < 0.5) as (plan, crm):
        ended = point != "end" or not after
        if killed(plan, point, times, after=after) and (ended or mode == "upsert"):
            check(plan, crm)


@pytest.mark.slow
def test_a_hundred_kills_lose_nothing_and_double_nothing() -> None:
    chance = random.Random(7)
    for _ in range(100):
        mode, way = chance.choice(["append", "upsert"]), chance.choice(list(WAYS))
        with pushing(mode, way, durable=chance.random() < 0.5) as (plan, crm):
            for _ in range(chance.randint(1, 3)):
                point, times, after = chance.choice(PLACES)
                if point == "end":
                    continue
                killed(plan, point, times, after=after)
                if len(crm.effects) >= len(RECORDS) and mode == "append":
                    break
            if mode == "upsert" or len(crm.effects) < len(RECORDS):
                check(plan, crm)
