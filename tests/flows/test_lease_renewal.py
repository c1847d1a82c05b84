"""A run that waits for its source keeps its lease."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.flows.api import integration, record
from tests.flows.running import Faulty, query, run

from astrio.tasks import pushing

RECORDS = [record(number) for number in range(15)]


@pytest.mark.parametrize("slow_at", ["", "10"])
@pytest.mark.parametrize("mode", ["upsert", "replace"])
def test_the_lease_is_renewed_while_the_source_is_slow(
    tmp_path: Path, mode: str, slow_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "RENEW_SECONDS", 0.05)
    database = tmp_path / "items.db"
    renewed: list[bool] = []

    def slow(request: web.Request) -> Any:
        if request.query.get("cursor", "") == slow_at:
            first = query(database, "SELECT expires_at FROM _astrio_lease")
            until = time.monotonic() + 20
            while query(database, "SELECT expires_at FROM _astrio_lease") == first:
                assert time.monotonic() < until
                time.sleep(0.02)
            renewed.append(True)
        start = int(request.query.get("cursor", "0"))
        return {"items": RECORDS[start : start + 10], "next": 10 if start == 0 else None}

    with Faulty(RECORDS, fault=slow).serving() as api:
        plan = integration(api.server.url, database)
        push = plan.push.model_copy(update={"mode": mode})
        report = run(plan.model_copy(update={"push": push}))
    assert renewed == [True]
    assert report.records.written == 15
