"""What a quarantined record holds is nowhere in clear: not in the database, the ledger, a log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.flows.api import cursor_api, integration, record
from tests.flows.running import run
from tests.flows.test_replay import replay

from astrio.flows.integration import Integration
from astrio.tasks.destinations.opening import (
    discard_records,
    quarantine_records,
    quarantine_rows,
)

CANARY = "canary-Zoe-4711"
RULES = [
    {"field": "email", "type": "email"},
    {"field": "updated_at", "pattern": "20.*", "message": "{field} is wrong: {value}"},
]
CAUSES: dict[str, dict[str, Any]] = {
    "filter": {"status": CANARY},
    "cast": {"age": CANARY},
    "date": {"born": CANARY},
    "rule": {"email": CANARY},
    "message": {"updated_at": CANARY},
    "lone surrogate": {"name": f"{CANARY}\ud800"},
    "deep": {"age": [[[{"name": CANARY}]]]},
    "refused": {"name": f"{CANARY}\0"},
    "no key": {"id": None, "name": CANARY},
}


def plan(url: str, database: Path) -> Integration:
    mapping = {
        "id": "id",
        "name": "name",
        "email": "email",
        "updated_at": "updated_at",
        "age": "int(age)",
        "born": "parse_date(born, '%Y-%m-%d')",
    }
    return integration(
        url,
        database,
        source={"filter": "status < 2"},
        map=mapping,
        validate=RULES,
    )


def files(folder: Path) -> Iterator[bytes]:
    """Yield the content of every file: databases, journals, keys."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.read_bytes()


@pytest.mark.parametrize("cause", CAUSES)
def test_the_content_of_a_rejected_record_is_nowhere_in_clear(
    cause: str, tmp_path: Path, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    usual = {"status": 1, "age": "3", "born": "2020-01-02"}
    spoilt = record(2, **(usual | CAUSES[cause]))
    database = tmp_path / "items.db"
    with cursor_api([record(1, **usual), spoilt]) as server:
        made = plan(server.url, database)
        report = run(made)
        assert report.records.rejected + report.records.failed == 1
        again = replay(made)
        assert again.records.rejected + again.records.failed == 1
    (row,) = quarantine_rows(made.push, made.name)
    (shown,) = quarantine_records(made.push, made.name, [row["id"]])
    assert shown["record"] == spoilt
    told = (report.model_dump_json(), again.model_dump_json(), str(row), str(shown["problems"]))
    assert discard_records(made.push, made.name) == 1
    assert [text for text in (*told, caplog.text) if CANARY in text] == []
    assert [content for content in files(tmp_path) if CANARY.encode() in content] == []
