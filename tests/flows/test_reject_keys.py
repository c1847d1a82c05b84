"""Rejects are told by their keys wherever these can be computed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.flows.api import cursor_api, integration, record
from tests.flows.running import run
from tests.support.server import serve

from astrio.flows.integration import Integration
from astrio.tasks.destinations.opening import quarantine_rows

FILTER: dict[str, Any] = {"filter": "lower(name) != 'hidden'"}
FAILED: dict[str, Any] = {"response": {"failed": "type == 'error'"}}
FAILING: dict[str, Any] = {"response": {"failed": "lower(name) == 'hidden'"}}


def keys(plan: Integration) -> list[str | None]:
    return [row["key"] for row in quarantine_rows(plan.push, plan.name)]


@pytest.mark.parametrize("source", [FILTER, FAILED, FAILING], ids=["filter", "failed", "failing"])
def test_a_record_rejected_before_it_is_mapped_is_told_by_its_key_and_resolved_by_it(
    tmp_path: Path, source: dict[str, Any]
) -> None:
    records = [record(1), record(2, name=5, type="error"), record(3)]
    with cursor_api(records) as server:
        plan = integration(server.url, tmp_path / "items.db", source=source)
        assert run(plan).records.rejected == 1
        assert keys(plan) == ["2"]
        records[1] = record(2, name="mended")
        assert run(plan).records.written == 1
    assert keys(plan) == []


def test_a_record_whose_key_cannot_be_computed_is_told_by_its_content(tmp_path: Path) -> None:
    records = [record(1), record(2, name=5)]
    records[1]["id"] = None
    with cursor_api(records) as server:
        plan = integration(server.url, tmp_path / "items.db", source=FILTER)
        run(plan)
    assert keys(plan) == [None]


def test_a_line_that_cannot_be_read_has_no_key(tmp_path: Path) -> None:
    text = '{"id": 1, "line": 1}\n{"id": 2,\n'
    page = web.Response(text=text, content_type="application/jsonl")
    source = {
        "response": {"format": "jsonl", "broken": "reject"},
        "records": "$",
        "paginate": {"type": "none"},
    }
    with serve(lambda _: page) as server:
        push = {"to": {"url": f"sqlite:///{tmp_path}/x.db"}, "table": "x", "mode": "upsert"}
        changes = {"map": {"line": "line"}, "push": push | {"key": ["line"]}}
        plan = integration(server.url, tmp_path / "x.db", source=source, **changes)
        run(plan)
    assert keys(plan) == [None]
