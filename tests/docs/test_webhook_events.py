"""Every example of docs/webhook-events.md, run with real events; its automation really fires."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.events.schemas.automations import AutomationCore
from tests.flows.running import query
from tests.support.command import eventually
from tests.support.server import serve

from astrio.deployments.draining.events import received
from astrio.flows.engine import engine
from astrio.flows.reading.read import read_integration
from astrio.flows.receiving import receiving_run
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.webhooks.inbox.appending import Appender
from astrio.tasks.webhooks.inbox.event import Arrival
from astrio.tasks.webhooks.inbox.looking import Which, listed

PAGE = (Path(__file__).parents[2] / "docs" / "webhook-events.md").read_text("utf-8")
EXAMPLES = {
    re.findall(r"^name: (.*)$", text, re.M)[0]: text
    for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
}
ORDER = {"id": 7, "total": "12.50", "updated_at": "2026-01-02T00:00:00Z"}
OLDER = {**ORDER, "total": "1", "updated_at": "2025-01-02T00:00:00Z"}
EVENTS: dict[str, list[tuple[dict[str, str], Any]]] = {
    "shop-orders": [({}, {"data": {"order": ORDER}}), ({}, {"data": {"order": OLDER}})],
    "shop-topics": [
        ({"x-shopify-topic": "orders/paid"}, {"id": 7}),
        ({"x-shopify-topic": "orders/create"}, {"id": 8}),
    ],
    "thin-orders": [({}, {"order_id": 7})],
}
ROWS: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "shop-orders": ("shop.db", [(7, "12.50", "2026-01-02T00:00:00Z")]),
    "shop-topics": ("topics.db", [(7, "orders/paid")]),
    "thin-orders": ("thin.db", [(7, 12.5)]),
}


@pytest.fixture
def inbox(home: Path) -> Iterator[Appender]:
    assert not home.exists()
    appender = Appender(Ledger())
    yield appender
    appender.close()


def arrive(inbox: Appender, source: str, headers: dict[str, str], body: Any) -> str:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    arrival = Arrival(source, str(time.time_ns()), pairs, json.dumps(body).encode(), time.time())
    inbox.append([arrival])
    return listed(Which(), limit=1)[0].id


@pytest.mark.parametrize("name", EVENTS)
def test_an_example_turns_its_events_into_rows(
    inbox: Appender, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    with serve(lambda request: {"id": int(request.path[-1]), "total": 12.5}) as api:
        text = EXAMPLES[name].replace("http://127.0.0.1:8000", api.url)
        path = tmp_path / "example.yaml"
        path.write_text(text)
        ids = [arrive(inbox, name, *event) for event in EVENTS[name]]

        async def run() -> None:
            await engine(await receiving_run(read_integration(path).integration, ids))

        asyncio.run(run())
    database, rows = ROWS[name]
    found = query(tmp_path / database, "SELECT * FROM orders")
    assert [row[: len(rows[0])] for row in found] == rows


@flow(name="handle")
def handle(event: dict[str, Any]) -> None:
    """A user's own flow."""


@pytest.mark.usefixtures("prefect_api")
def test_the_automation_starts_a_deployment_with_the_events_ids(inbox: Appender) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    scope: dict[str, Any] = {}
    exec(code, scope)
    name = arrive(inbox, "shop-orders", {}, {"n": 1})

    async def deploy() -> Any:
        async with get_client() as client:
            flow_id = await client.create_flow(handle)
            deployment = await client.create_deployment(flow_id, name="mine")
            text = EXAMPLES["start-my-deployment"].replace("DEPLOYMENT_ID", str(deployment))
            await client.create_automation(AutomationCore.model_validate(yaml.safe_load(text)))
            return deployment

    async def runs(deployment: Any) -> list[dict[str, Any]]:
        async with get_client() as client:
            found = await client.read_flow_runs()
            return [each.parameters for each in found if each.deployment_id == deployment]

    deployment = asyncio.run(deploy())
    [event] = listed(Which())
    started = time.monotonic()

    def arrived() -> bool:
        received(event)  # the automation is loaded a moment after it was made
        time.sleep(1)
        return bool(asyncio.run(runs(deployment)))

    assert eventually(arrived, 60), time.monotonic() - started
    parameters = asyncio.run(runs(deployment))[0]
    assert parameters["event"]["id"] == name
    assert scope["body_of"](parameters["event"]) == b'{"n": 1}'
