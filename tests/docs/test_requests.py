from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.flows.running import run
from tests.support.server import Seen, serve

from astrio.flows.reading.read import read_integration

PAGE = Path(__file__).parents[2] / "docs" / "requests.md"
EXAMPLES = {
    re.findall(r"^name: (.*)$", text, re.M)[0]: text
    for text in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
}


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"\xff\xd8photo")
    return path


def sent(name: str, folder: Path, photo: Path, monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Run an example of the page, and return the request that arrived."""
    file = folder / f"{name}.yaml"
    file.write_text(EXAMPLES[name], encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PHOTO", str(photo))
    with serve(lambda _: [{"id": 1}]) as server:
        monkeypatch.setenv("API_URL", server.url)
        assert run(read_integration(file).integration).records.written == 1
    return server.requests[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("search-by-query", b""),
        ("search-by-body", b"status=open%2Cpaid"),
        ("soap", b"<find><customer>Miller &amp; Sons</customer></find>"),
        ("upload", b'filename="sea.jpg"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8photo\r\n'),
        ("graphql", b'"variables":{"first":10}'),
        ("timeouts", b""),
    ],
)
def test_every_example_sends_what_the_page_says(
    name: str, expected: bytes, tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived = sent(name, tmp_path, photo, monkeypatch)
    assert expected in arrived.body
    details: dict[str, Any] = {
        "search-by-query": arrived.query == {
            "status[]": ["open", "paid"], "created[gte]": ["2026-01-01"],
        },
        "search-by-body": "Idempotency-Key" in arrived.headers,
        "soap": arrived.headers.get("Content-Type") == "text/xml; charset=utf-8",
        "upload": arrived.method == "PUT",
        "graphql": arrived.method == "POST",
        "timeouts": arrived.method == "GET",
    }  # fmt: skip
    assert details[name]


def test_every_example_is_run() -> None:
    known = {"search-by-query", "search-by-body", "soap", "upload", "graphql", "timeouts"}
    assert set(EXAMPLES) == known
