"""The examples of docs/webhooks-out.md: triggers, emitting, verifying."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.flows.running import run
from tests.support.server import serve
from tests.tasks.webhooks.outbox.delivering import SECRET, deliver, rows

from astrio.deployments.delivering.registering import register
from astrio.deployments.deploying.collecting import collect, folder_files
from astrio.flows.reading.read import read_integration

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks-out.md").read_text(encoding="utf-8")
*TRIGGERS, RECORDS = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
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
