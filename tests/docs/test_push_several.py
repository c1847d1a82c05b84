"""Every block of docs/push-several.md: the files are checked and run, the report is as shown."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.flows.running import query, run
from tests.support.connectors import Write
from tests.support.server import serve

from astrio.flows.reading.read import check_file, read_integration
from astrio.tasks.report import DestinationReport

PAGE = (Path(__file__).parents[2] / "docs" / "push-several.md").read_text("utf-8")
FILES = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
[REPORT] = re.findall(r"```json\n(.*?)```", PAGE, re.S)
RECORDS = [
    {"id": number, "total": "3.50", "updated_at": f"2026-01-01T00:0{number}:00Z"}
    for number in range(3)
]


@pytest.mark.parametrize("text", FILES)
def test_the_pages_files_write_into_each_of_their_destinations(
    write: Write, home: Path, tmp_path: Path, text: str
) -> None:
    write("crm.py", "def upsert(records, context):\n    return None\n")
    with serve(lambda _: RECORDS) as api:
        file = tmp_path / "file.yaml"
        file.write_text(text.replace("https://shop.example.com", api.url))
        assert check_file(file) == []
        plan = read_integration(file).integration
        report = run(plan)
    assert [each.records.written for each in report.destinations] == [3] * len(plan.push.all)
    for push in plan.push.all:
        if url := getattr(push.to, "url", ""):
            database = tmp_path / url.removeprefix("sqlite:///")
            assert query(database, f"SELECT count(*) FROM {push.table}") == [(3,)]


def test_the_reports_part_of_a_destination_has_these_fields() -> None:
    shown = json.loads(REPORT)
    assert DestinationReport.model_validate(shown).model_dump(mode="json") == shown
