"""Every example of docs/pagination.md reads all the records of a service that pages that way."""

from __future__ import annotations

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
RECORDS = [{"id": number} for number in range(1, 9)]
SIZE = 3
ENDS = {
    "one-answer": "single_page",
    "numbered-pages": "total_reached",
    "parallel-pages": "total_reached",
    "offset-in-a-body": "empty_page",
    "last-record": "has_more_false",
}


async def service(request: Any) -> Any:
    """An API that knows every way to page."""
    if request.path == "/all":
        return {"items": RECORDS}
    start = await _start(request)
    items = RECORDS[start : start + SIZE]
    more = start + SIZE < len(RECORDS)
    following = f"/links?start={start + SIZE}" if more else None
    body = {
        "items": items,
        "count": len(RECORDS),
        "more": more,
        "meta": {"next": items[-1]["id"] if more else None},
        "links": {"next": following},
        "@odata.nextLink": f"{request.url.origin()}{following}" if more else None,
    }
    headers = {"Link": f'<{following}>; rel="next"', "X-Next-Cursor": str(start + SIZE)}
    return answer(body, headers=headers if more else {})


async def _start(request: Any) -> int:
    match request.path:
        case "/pages":
            return (int(request.query["page"]) - 1) * SIZE
        case "/search":
            return int((await request.json())["page"]["from"])
        case "/cursor":
            return int(request.query.get("after", "0"))
        case _:
            return int(request.query.get("start", "0"))


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
