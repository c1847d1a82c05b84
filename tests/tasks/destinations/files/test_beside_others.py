"""A file beside another destination of the same source: each has every record once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.flows.api import cursor_api, record
from tests.flows.running import query, run
from tests.tasks.destinations.files.killing import killed
from tests.tasks.destinations.files.writing import files, lines

from astrio.flows.integration import Integration

pytestmark = pytest.mark.usefixtures("home")


def plan(url: str, folder: Path, mode: str) -> Integration:
    source = {
        "api": {"base_url": url},
        "request": {"path": "/items"},
        "records": "$.items[*]",
        "paginate": {"type": "cursor", "param": "cursor", "next": "$.next"},
        "incremental": {"cursor": "updated_at", "param": "since"},
    }
    table: dict[str, Any] = {"table": "items", "mode": mode}
    push = [
        {"to": {"file": f"{folder}/out/"}},
        {"to": {"url": f"sqlite:///{folder}/items.db"}, **table, "key": ["id"]},
    ]
    return Integration.model_validate({"name": "items", "source": source, "push": push})


@pytest.mark.parametrize("mode", ["append", "upsert"])
@pytest.mark.parametrize("point", ["chunk", "due", "settled"])
def test_a_kill_leaves_each_of_them_with_every_record_once_after_the_next_run(
    tmp_path: Path, point: str, mode: str
) -> None:
    records = [record(number) for number in range(35)]
    with cursor_api(records) as api:
        both = plan(api.url, tmp_path, mode)
        assert killed(both, point)
        records.append(record(50))
        report = run(both)
        assert report.records.balanced
        again = run(both)
    assert again.records.written == 0
    found = [each["id"] for path in files(tmp_path / "out") for each in lines(path)]
    assert sorted(found) == [*range(35), 50]
    rows = query(tmp_path / "items.db", "SELECT id FROM items ORDER BY id")
    assert [row[0] for row in rows] == [*range(35), 50]
