"""The example of docs/limits.md, and each form in which an API tells its limits."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.flows.running import query, run
from tests.support.reading import Slept, send
from tests.support.server import serve

from astrio.flows.reading.read import read_integration

PAGE = (Path(__file__).parents[2] / "docs" / "limits.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)[0]
FORMS = re.findall(r"^\| (\d{3}) \| (.*) \| ([\d.]+) \|$", PAGE, re.M)


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "within-limits.yaml"
    file.write_text(EXAMPLE, encoding="utf-8")
    with serve(lambda _: {"orders": [{"id": 1}, {"id": 2}]}) as server:
        monkeypatch.setenv("API_URL", server.url)
        assert run(read_integration(file).integration).records.written == 2
    assert query(tmp_path / "orders.db", "SELECT id FROM orders") == [(1,), (2,)]


@pytest.mark.parametrize(("status", "told", "seconds"), FORMS)
async def test_each_form_is_waited_for(status: str, told: str, seconds: str) -> None:
    fields = re.findall(r"`([^`]*)`", told)
    body = next((json.loads(each) for each in fields if each.startswith("{")), {})
    headers = dict(each.split(": ", 1) for each in fields if not each.startswith("{"))
    headers["Date"] = "Wed, 01 May 2024 10:00:00 GMT"
    answers = iter([int(status)])

    def api(_: web.Request) -> Any:
        refused = next(answers, None)
        if refused is None:
            return {"ok": True}
        return web.json_response(body, status=refused, headers=headers)

    slept = Slept()
    with serve(api) as server:
        await send(server.url, retry={"retry_delay": 1, "retry_on_status": [420]}, sleep=slept)
    assert sum(slept) == pytest.approx(float(seconds), abs=0.3)


def test_there_are_forms() -> None:
    assert len(FORMS) == 13
