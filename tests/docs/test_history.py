"""The example of docs/history.md, run as it says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.flows.running import query
from tests.support.server import serve

from astrio.flows.engine import engine
from astrio.flows.planning import Run
from astrio.flows.reading.read import read_integration
from astrio.tasks.options import RunOptions

PAGE = (Path(__file__).parents[2] / "docs" / "history.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
(TABLE,) = re.findall(r"```text\n(.*?)```", PAGE, re.S)


async def test_the_example_keeps_the_versions_that_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "order-history.yaml"
    # One of two orders is more than a fifth of them.
    file.write_text(EXAMPLE.replace("vanished: close", "vanished: {rows: close, most: 1}"))
    orders: list[dict[str, Any]] = [{"id": 1, "status": "open"}, {"id": 2, "status": "open"}]
    with serve(lambda _: {"orders": orders}) as server:
        monkeypatch.setenv("SHOP_URL", server.url)
        for day in (1, 2, 3):
            if day > 1:
                orders[0]["status"] = "paid"
            if day > 2:
                orders.pop()
            run = Run(read_integration(file).integration, RunOptions())
            run.account.started = datetime(2026, 3, day, 8, tzinfo=UTC)
            report = await engine(run)
            assert (report.records.written, report.records.deleted) == [
                *[(2, 0), (1, 0), (0, 1)],
            ][day - 1]
    rows = query(tmp_path / "orders.db", "SELECT * FROM order_history ORDER BY id, valid_from")
    shown = [
        [
            f"{value:%Y-%m-%dT%H:%M:%S+00:00}" if isinstance(value, datetime) else str(value)
            for value in row
            if value
        ]
        for row in rows
    ]
    assert shown == [line.split() for line in TABLE.splitlines()[1:]]
