"""Runs of events: what they write, what they fetch, and what `preview` shows of them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.flows.running import failed_run, query
from tests.support.server import serve

from astrio.blocks.errors import ApiUnavailableError
from astrio.flows.engine import engine
from astrio.flows.integration import Integration
from astrio.flows.receiving import receiving_run
from astrio.flows.sampling import judge, read_sample
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.report import RunReport
from astrio.tasks.webhooks.inbox.appending import Appender
from astrio.tasks.webhooks.inbox.event import Arrival
from astrio.tasks.webhooks.inbox.looking import Which, listed


@pytest.fixture
def inbox(home: Path) -> Iterator[Appender]:
    assert not home.exists()
    appender = Appender(Ledger())
    yield appender
    appender.close()


def arrive(inbox: Appender, *bodies: Any) -> list[str]:
    """Let events arrive, and return their ids."""
    inbox.append(
        [
            Arrival("shop", str(time.time_ns()), [], json.dumps(body).encode(), time.time())
            for body in bodies
        ]
    )
    return [event.id for event in reversed(listed(Which()))][-len(bodies) :]


def integration(database: Path, source: dict[str, Any], **changes: Any) -> Integration:
    push = {"to": {"url": f"sqlite:///{database}"}, "table": "orders", "mode": "upsert"}
    whole = {
        "name": "orders",
        "source": {"webhook": "shop", **source},
        "map": {"id": "id", "state": "state", "at": "at"},
        "push": {**push, "key": ["id"], **changes.pop("push", {})},
        "retry": {"max_retries": 0},
        **changes,
    }
    return Integration.model_validate(whole)


def receive(plan: Integration, events: list[str]) -> RunReport:
    async def run() -> RunReport:
        return await engine(await receiving_run(plan, events))

    return asyncio.run(run())


def test_events_in_any_order_and_many_times_leave_the_newest_state(
    inbox: Appender, tmp_path: Path
) -> None:
    plan = integration(tmp_path / "a.db", {}, push={"version": "at"})
    states = [{"id": 1, "state": state, "at": at} for at, state in enumerate("abcde")]
    shuffled = [states[at] for at in (3, 0, 4, 1, 2)] * 5
    for start in range(0, 25, 4):
        receive(plan, arrive(inbox, *shuffled[start : start + 4]))
    assert query(tmp_path / "a.db", "SELECT id, state, at FROM orders") == [(1, "e", 4)]


def test_the_object_that_an_event_names_is_fetched_whole(inbox: Appender, tmp_path: Path) -> None:
    def order(request: web.Request) -> Any:
        assert request.headers["X-Token"] == "t0k3n-of-the-shop"
        return {"id": request.path.rpartition("/")[2], "state": "paid", "at": 1}

    with serve(order) as api:
        source = {
            "api": {"base_url": api.url, "headers": {"X-Token": "t0k3n-of-the-shop"}},
            "request": {"path": "/orders/{{event.order.id}}"},
        }
        plan = integration(tmp_path / "a.db", source)
        ids = arrive(inbox, {"order": {"id": "a/b"}}, {"order": {"id": "../c"}}, {"other": 1})
        report = receive(plan, ids)
        paths = sorted(each.target for each in api.requests)
    assert paths == ["/orders/..%2Fc", "/orders/a%2Fb"]
    assert (report.records.written, report.records.rejected) == (2, 1)
    rejected = query(tmp_path / "a.db", "SELECT rule, reason FROM _astrio_quarantine")
    assert rejected == [
        (
            "fetch",
            "the request cannot be made: {{event.order.id}} in the path "
            "'/orders/{{event.order.id}}' is empty.",
        )
    ]


def test_what_the_api_no_longer_has_is_rejected_and_what_fails_is_tried_again(
    inbox: Appender, tmp_path: Path
) -> None:
    status = [404]

    def gone(_: web.Request) -> web.Response:
        return web.Response(status=status[0])

    with serve(gone) as api:
        request = {"path": "/orders/{{event.id}}"}
        plan = integration(tmp_path / "a.db", {"api": {"base_url": api.url}, "request": request})
        report = receive(plan, arrive(inbox, {"id": 1}))
        assert (report.records.fetched, report.records.rejected) == (1, 1)
        status[0] = 503
        with pytest.raises(ApiUnavailableError):
            receive(plan, arrive(inbox, {"id": 2}))


def test_by_itself_there_is_nothing_to_run(home: Path, tmp_path: Path) -> None:
    assert not home.exists()
    error = failed_run(integration(tmp_path / "a.db", {}))
    assert (error.kind, "astrio gateway" in error.advice) == ("configuration", True)


def test_preview_shows_the_latest_events(inbox: Appender, tmp_path: Path) -> None:
    plan = integration(tmp_path / "a.db", {"filter": "id > 1"})
    arrive(inbox, *({"id": number, "state": "new", "at": 0} for number in range(4)))
    sample = asyncio.run(read_sample(plan, 3))
    assert (sample.fetched, sample.filtered) == (3, 1)
    assert [each.mapped["id"] for each in judge(plan, sample)] == [2, 3]
