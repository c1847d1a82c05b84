from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.flows.running import query, run
from tests.support.server import answer, replies, serve

from astrio.flows.reading.read import read_integration

PAGE = Path(__file__).parents[2] / "docs" / "responses.md"
EXAMPLES = {
    re.findall(r"^name: (.*)$", text, re.M)[0]: text
    for text in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
}


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("a.jsonl", '{"id": 1}\n{"id": 2}\n')
        packed.writestr("README.txt", "An export.")
    return file.getvalue()


REPORT = b"Report of May\nid;name\n1;Ana\n2\n3;Bo\n"
FEED = b'<orders><order id="7"><customer><name>Ana</name></customer></order></orders>'
CHAT = replies({"ok": False, "error": "ratelimited"}, {"ok": True, "channels": [{"id": 5}]})
BATCH = {"results": [{"id": 1}, {"id": 2, "error": {"message": "is locked"}}]}


@pytest.mark.parametrize(
    ("name", "handler", "rows", "rejected"),
    [
        ("report", lambda _: answer(REPORT), [(1, "Ana"), (3, "Bo")], 1),
        ("feed", lambda _: answer(FEED), [(7, "Ana")], 0),
        ("export", lambda _: answer(archive()), [(1,), (2,)], 0),
        ("chat", CHAT, [(5,)], 0),
        ("batch", lambda _: BATCH, [(1,)], 1),
    ],
)
def test_every_example_writes_what_the_page_says(
    name: str, handler: Any, rows: list[Any], rejected: int, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    file = tmp_path / f"{name}.yaml"
    file.write_text(EXAMPLES[name] + "retry: {retryDelay: 1}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with serve(handler) as server:
        monkeypatch.setenv("API_URL", server.url)
        report = run(read_integration(file).integration)
    columns = "id, name" if name == "report" else "id, customer" if name == "feed" else "id"
    assert query(tmp_path / f"{name}.db", f"SELECT {columns} FROM {name}") == rows
    assert report.records.rejected == rejected
    assert report.records.fetched == len(rows) + rejected


def test_every_example_is_run() -> None:
    assert set(EXAMPLES) == {"report", "feed", "export", "chat", "batch"}
