"""Every example of docs/incremental.md and docs/parents.md, run twice against its service."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.flows.running import query, run
from tests.support.server import answer, serve

from astrio.flows.reading.read import read_integration
from astrio.tasks.children.settings import ParentSettings
from astrio.tasks.incremental_settings import IncrementalSettings

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {
    name: (DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("incremental", "parents")
}
EXAMPLES = {
    re.findall(r"^name: (.*)$", text, re.M)[0]: text
    for page in PAGES.values()
    for text in re.findall(r"```yaml\n(.*?)```", page, re.S)
}
RECORDS = [
    {"id": day, "at": f"2026-03-0{day}T10:00:00Z", "local": f"0{day}.03.2026 11:00"}
    for day in range(1, 8)
]
CUSTOMERS = {"a": [1, 2], "b/1": [3], "c": [4, 5]}
SECOND = {
    "changed-orders": (1, "/changes?since=2026-03-07T09:55:00Z&until="),
    "local-times": (1, "/local?after=07.03.2026%2010:59"),
    "filtered-here": (1, "/all"),
    "newest-first": (1, "/feed?page=1"),
    "changes-feed": (0, "/sync?token=7"),
    "orders-of-customers": (5, "/customers"),
    "new-orders-of-customers": (3, "/customers"),
}


def service(request: Any) -> Any:
    """An API that filters by times, in two forms, or not at all; customers and their orders."""
    asked = request.query
    if request.path.startswith("/customers"):
        return customers(request)
    start = (int(asked.get("page", "1")) - 1) * 2
    return {
        "/changes": {"items": [each for each in RECORDS if asked.get("since", "") <= each["at"]]},
        "/local": {"items": [each for each in RECORDS if asked.get("after", "") < each["local"]]},
        "/all": {"items": [*RECORDS, {"id": 99, "at": None}]},
        "/feed": {"items": RECORDS[::-1][start : start + 2]},
        "/sync": {"items": RECORDS[int(asked.get("token", "0")) :], "next_token": "7"},
    }[request.path]


def customers(request: Any) -> Any:
    """Customers two by two, and the orders of each; one of them is gone."""
    if request.path == "/customers":
        keys = [*CUSTOMERS, "gone"]
        start = int(request.query.get("cursor", "0"))
        following = start + 2 if start + 2 < len(keys) else None
        page = [{"id": key, "name": f"Name {key}"} for key in keys[start : start + 2]]
        return {"customers": page, "next": following}
    customer = request.raw_path.split("/")[2].replace("%2F", "/")
    if customer not in CUSTOMERS:
        return answer({"error": "no such customer"}, 404)
    orders = [{"number": n, "at": f"2026-03-0{n}T00:00:00Z"} for n in CUSTOMERS[customer]]
    return {"orders": [each for each in orders if each["at"] >= request.query.get("since", "")]}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_second_run_of_an_example_asks_for_what_is_new(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / f"{name}.yaml"
    file.write_text(EXAMPLES[name], encoding="utf-8")
    with serve(service) as server:
        monkeypatch.setenv("API_URL", server.url)
        first = run(read_integration(file).integration)
        server.requests.clear()
        second = run(read_integration(file).integration)
        target = server.requests[0].target.replace("%3A", ":")
    unchanged, asked = SECOND[name]
    assert first.records.written == (5 if "customers" in name else 7)
    assert (second.records.written, second.records.unchanged) == (0, unchanged)
    assert target.startswith(asked)
    count = query(tmp_path / "items.db", "SELECT count(*) FROM items")
    assert count == [(first.records.written,)]


def test_every_key_is_in_the_tables() -> None:
    for page, model in (("incremental", IncrementalSettings), ("parents", ParentSettings)):
        keys = [field.alias or name for name, field in model.model_fields.items()]
        assert [key for key in keys if f"`{key}" not in PAGES[page]] == []
