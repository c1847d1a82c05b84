"""Every block of docs/push-python.md: the file is checked and run, with the module beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.flows.running import run
from tests.support.connectors import Write
from tests.support.server import serve

from astrio.flows.reading.read import check_file, read_integration
from astrio.tasks.destinations.opening import quarantine_rows
from astrio.tasks.python.references import resolve

PAGE = (Path(__file__).parents[2] / "docs" / "push-python.md").read_text("utf-8")
[(NAME, MODULE)] = re.findall(r"```python\n# connectors/(\S+)\n(.*?)```", PAGE, re.S)
[FILE] = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
PEOPLE = [{"id": 1, "name": "Ada", "email": "ADA@example.com"}, {"id": 2, "name": "B", "email": ""}]


def test_the_pages_function_takes_the_pages_records(
    write: Write, home: Path, tmp_path: Path
) -> None:
    write(NAME, MODULE)
    with serve(lambda _: PEOPLE) as api:
        file = tmp_path / "people.yaml"
        file.write_text(FILE.replace("https://app.example.com", api.url))
        assert check_file(file) == []
        plan = read_integration(file).integration
        first, second = run(plan), run(plan)
    assert (first.records.written, first.records.rejected) == (1, 1)
    assert (second.records.unchanged, second.records.rejected) == (1, 1)
    known: dict[int, Any] = resolve("crm:KNOWN").value
    assert known == {1: {"id": 1, "contact": {"name": "Ada", "email": "ada@example.com"}}}
    [row] = quarantine_rows(plan.push, plan.name)
    assert row["reason"] == "no address to write to"
