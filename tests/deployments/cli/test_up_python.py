"""`astrio up` with the project's own Python: imported in the processes that run, and watched."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.deployments.cli.test_up import rows, start
from tests.flows.api import cursor_api, record
from tests.support.command import astrio

FILE = """\
name: often
source: {{python: "crm:items", api: {{base_url: "{url}"}}}}
transform: crm:row
validate: crm:Item
push: {{to: {{url: "sqlite:///often.db"}}, table: items, mode: upsert, key: [id]}}
schedule: {{every: 5s}}
"""
CRM = """
from pydantic import BaseModel

class Item(BaseModel):
    id: int
    name: str

async def items(context):
    yield (await context.api.get("/items")).body["items"]

def row(record):
    return {"id": record["id"], "name": record["name"].upper()}
"""


@pytest.mark.slow
def test_a_module_that_is_mended_is_taken_up_and_runs_where_runs_take_place(tmp_path: Path) -> None:
    module = tmp_path / "connectors" / "crm.py"
    module.parent.mkdir()
    module.write_text(CRM.replace("def row", "def rows"))
    with cursor_api([record(number) for number in range(10)]) as api:
        (tmp_path / "project").mkdir()
        (tmp_path / "project" / "often.yaml").write_text(FILE.format(url=api.url))
        (tmp_path / "project" / "other.yaml").write_text(
            FILE.format(url=api.url).replace("often", "other").replace("crm:row", "json:dumps")
        )
        up = start(tmp_path, "project")
        try:
            assert up.tells("did you mean `rows`?", 120), up.lines
            assert up.tells("The UI is at", 120), up.lines
            module.write_text(CRM)
            assert up.tells("often: deployment created"), up.lines
            assert up.tells("often: Completed: 10 fetched"), up.lines
            assert rows(tmp_path, "often") == 10
        finally:
            astrio("down", folder=tmp_path, environment=up.environment())
            up.process.kill()
