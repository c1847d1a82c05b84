"""Every example of docs/pagination.md reads all the records of a service that pages that way."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.flows.running import query, run
from tests.support.server import answer, serve

from astrio.blocks.settings import subclasses_in
from astrio.flows.reading.read import read_integration
from astrio.tasks import paginate
from astrio.tasks.paginate.base import Paginator

PAGE = (Path(__file__).parents[2] / "docs" / "pagination.md").read_text(encoding="utf-8")
EXAMPLES = {
    re.findall(r"^name: (.*)$", text, re.M)[0]: text
    for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
}
RECORDS = [{"id": number, "at": f"2026-01-0{number}T00:00:00Z"} for number in range(1, 9)]
SIZE = 3
ENDS = {
    "one-answer": "single_page",
    "numbered-pages": "total_reached",
    "parallel-pages": "total_reached",
    "offset-in-a-body": "empty_page",
    "last-record": "has_more_false",
    "graphql-page-info": "has_more_false",
    "overlapping-pages": "empty_page",
    "scroll": "empty_page",
    "windows": "total_reached",
}


async def service(request: Any) -> Any:
    """An API that knows every way to page."""
    if request.path == "/all":
        return {"items": RECORDS}
    if request.method == "DELETE":
        return {}
    records = RECORDS
    if request.path == "/archive":
        low, high = request.query["from"], request.query["to"]
        records = [each for each in RECORDS if low <= each["at"] < high][:5]
    if request.path == "/strict" and "after" in request.query and "status" in request.query:
        return answer({"error": "no other parameters than limit and after"}, 400)
    start = await _start(request)
    items = records[start : start + SIZE]
    more = start + SIZE < len(records)
    end = items[-1]["id"] if items else None
    following = f"/links?start={start + SIZE}" if more else None
    body = {
        "items": items,
        "count": len(records),
        "handle": str(start + SIZE),
        "data": {"orders": {"nodes": items, "pageInfo": {"endCursor": end, "hasNextPage": more}}},
        "more": more,
        "meta": {"next": items[-1]["id"] if more else None},
        "links": {"next": following},
        "@odata.nextLink": f"{request.url.origin()}{following}" if more else None,
    }
    headers = {"Link": f'<{following}>; rel="next"', "X-Next-Cursor": str(start + SIZE)}
    return answer(body, headers=headers if more else {})


async def _start(request: Any) -> int:
    asked = request.query
    sent = json.loads(await request.text() or "{}")
    found = {
        "/pages": lambda: (int(asked["page"]) - 1) * SIZE,
        "/archive": lambda: (int(asked["page"]) - 1) * SIZE,
        "/search": lambda: sent["page"]["from"],
        "/offset": lambda: asked["offset"],
        "/graphql": lambda: sent["variables"].get("after", 0),
        "/scroll": lambda: sent["scroll_id"],
        "/cursor": lambda: asked.get("after", "0"),
        "/strict": lambda: asked.get("after", "0"),
    }.get(request.path, lambda: asked.get("start", "0"))
    return int(found())


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_reads_it_all(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / f"{name}.yaml"
    file.write_text(EXAMPLES[name], encoding="utf-8")
    with serve(service) as server:
        monkeypatch.setenv("API_URL", server.url)
        report = run(read_integration(file).integration)
    assert report.stop_reason == ENDS.get(name, "no_next")
    assert query(tmp_path / "items.db", "SELECT id FROM items ORDER BY id") == [
        (n,) for n in range(1, 9)
    ]


def test_every_kind_is_in_the_table() -> None:
    kinds = [str(each.model_fields["type"].default) for each in subclasses_in(paginate, Paginator)]
    assert [kind for kind in kinds if f"| [`{kind}`](#" not in PAGE] == []
