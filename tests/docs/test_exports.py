"""Every example of docs/exports.md reads all records of a service with such jobs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.flows.running import query, run
from tests.support.server import answer, serve

from astrio.flows.reading.read import read_integration
from astrio.tasks.export.settings import ExportSettings

PAGE = (Path(__file__).parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")
EXAMPLES = {
    re.findall(r"^name: (.*)$", text, re.M)[0]: text
    for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
}


class Service:
    """Jobs that are done at the third question."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, request: Any) -> Any:
        match (request.method, request.path):
            case ("POST", "/exports"):
                return answer({"id": 7}, 202)
            case ("POST", "/reports"):
                return answer({"number": 3}, 202, headers={"Location": "/reports/3"})
            case ("GET", "/exports/7" | "/reports/3"):
                self.asked += 1
                files = [{"url": f"/files/{n}"} for n in (1, 2)]
                done = self.asked > 2
                return {"status": "done" if done else "busy", "ready": done, "files": files}
            case ("GET", "/reports/3/records"):
                return {"items": [{"id": number} for number in range(6)]}
            case ("GET", "/files/1" | "/files/2"):
                start = (int(request.path[-1]) - 1) * 3
                lines = "".join(json.dumps({"id": start + n}) + "\n" for n in range(3))
                return answer(lines.encode(), headers={"Content-Type": "application/jsonl"})
        return answer(None, 204)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_reads_it_all(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / f"{name}.yaml"
    file.write_text(EXAMPLES[name], encoding="utf-8")
    with serve(Service()) as server:
        monkeypatch.setenv("API_URL", server.url)
        report = run(read_integration(file).integration)
        deleted = [each.path for each in server.requests if each.method == "DELETE"]
    assert (report.records.written, report.stop_reason) == (6, "single_page")
    assert deleted == (["/exports/7"] if name == "report-files" else [])
    assert query(tmp_path / "items.db", "SELECT id FROM items") == [(n,) for n in range(6)]


def test_every_key_is_in_the_table() -> None:
    assert [key for key in ExportSettings.model_fields if f"`{key}`" not in PAGE] == []
