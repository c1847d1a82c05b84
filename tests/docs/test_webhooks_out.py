"""The examples of docs/webhooks-out.md: triggers, emitting, verifying."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import get_client
from prefect.events.schemas.automations import AutomationCore
from tests.flows.running import run
from tests.support.command import eventually
from tests.support.server import serve
from tests.tasks.webhooks.outbox.delivering import SECRET, deliver, rows

from astrio.deployments.delivering.registering import register
from astrio.deployments.deploying.collecting import collect, folder_files
from astrio.flows.deliver import tell_prefect
from astrio.flows.reading.read import read_integration
from astrio.tasks.webhooks.outbox.health import Notice

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks-out.md").read_text(encoding="utf-8")
*TRIGGERS, RECORDS, ALERT = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.S)


@pytest.fixture
def folder(tmp_path: Path, home: Path) -> Path:
    for number, text in enumerate(TRIGGERS):
        (tmp_path / f"trigger-{number}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def test_every_trigger_is_accepted(folder: Path) -> None:
    collected = collect(folder_files(folder))
    assert collected.mistakes == {}
    assert [each.trigger.name for each in collected.triggers] == ["trigger-0", "orders-to-crm"]


def test_an_emitted_event_is_mapped_delivered_and_verified(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(lambda _: {}) as server:
        monkeypatch.setenv("CRM_URL", server.url)
        monkeypatch.setenv("CRM_SECRET", SECRET)
        register(collect(folder_files(folder)), [folder])
        exec(PYTHON[0], {})
        deliver()
        [request] = server.requests
        scope: dict[str, Any] = {
            "secret": SECRET,
            "body": request.body.decode(),
            "headers": dict(request.headers),
        }
        exec(PYTHON[2], scope)
    assert scope["event"] == {"order": {"id": 7, "total": 12.5}}
    assert request.headers["X-Team"] == "sales"


def test_records_become_events(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "users-out.yaml").write_text(RECORDS, encoding="utf-8")
    with serve(lambda _: [{"id": 1, "name": "Ada"}]) as api:
        monkeypatch.setenv("API_URL", api.url)
        monkeypatch.setenv("CRM_URL", "https://crm.example.com/hooks")
        monkeypatch.setenv("CRM_SECRET", SECRET)
        file = read_integration(folder / "users-out.yaml").integration
        assert run(file).records.written == 1
        assert run(file).records.unchanged == 1
    [event] = rows("SELECT name, target, state FROM _astrio_outbox")
    assert event == ("users-out", "users-out", "new")


@pytest.mark.usefixtures("prefect_api")
def test_the_automation_tells_of_a_dead_letter() -> None:
    notice = Notice("dead", "crm", "1 delivery to crm was given up.", ("msg_1",))
    with serve(lambda _: {}) as server:

        async def automate() -> None:
            block = CustomWebhookNotificationBlock(
                name="alerts",
                url=f"{server.url}/alert",
                json_data={"text": "{{body}}"},
                headers={},
                cookies={},
            )
            saved = await cast("Any", block.save("alerts", overwrite=True))
            text = ALERT.replace("BLOCK_ID", str(saved))
            async with get_client() as client:
                await client.create_automation(AutomationCore.model_validate(yaml.safe_load(text)))

        asyncio.run(automate())

        def told() -> bool:
            tell_prefect(notice)  # the automation is loaded a moment after it was made
            time.sleep(1)
            return bool(server.requests)

        assert eventually(told, 60)
        assert notice.text in server.requests[0].json()["text"]
