"""Each row of docs/faults.md, met by a whole run."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.flows.api import integration
from tests.flows.running import failed_run, query, run
from tests.support.server import HANG, RESET, Server, answer, serve, serve_raw

PAGE = (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")
CASES = re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.M)
ITEMS = [{"id": 1, "updated_at": 1}, {"id": 2, "updated_at": 2}]
LARGE = b'{"items": [' + b" " * 200_000 + b"]}"
SMALL = {"limits": {"max_response_bytes": 100_000, "max_download_bytes": 100_000}}
TWO: list[Any] = [(1,), (2,)]
NUMBERED = {"type": "page_number", "param": "page"}
TOKENS = {"type": "cursor", "param": "cursor", "next": "next"}


@dataclass
class Fault:
    """What an API does, and what a run tells of it; no words: the run copes.

    Attributes:
        api: a handler, or the raw answers of a server.
        words: a part of the error's message.
        kind: the error's kind.
        source: keys of `source` for this case.
        connection: keys of `source.api` for this case.
        retry: keys of `retry`.
        rows: the rows that a run that copes has written.
    """

    api: Any
    words: str = ""
    kind: str = "api"
    source: dict[str, Any] = field(default_factory=dict)
    connection: dict[str, Any] = field(default_factory=dict)
    retry: dict[str, Any] = field(default_factory=lambda: {"max_retries": 0})
    rows: list[Any] = field(default_factory=list)

    def serving(self) -> AbstractContextManager[Server]:
        if isinstance(self.api, list):
            return serve_raw(*self.api)
        return serve(self.api)


def says(body: Any, status: int = 200, **headers: str) -> Callable[[web.Request], Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: answer(body, status, named)


def typed(body: bytes, kind: str, **headers: str) -> Callable[[web.Request], Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: web.Response(body=body, content_type=kind, headers=named)


def links(to: str, words: str) -> Fault:
    paginate = {"type": "next_url", "next": "next"}
    return Fault(says({"items": ITEMS, "next": to}), words, source={"paginate": paginate})


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", content)
    return packed.getvalue()


def only_first(body: Any) -> Callable[[web.Request], Any]:
    """Answer the first page with a body, and say that nothing follows on all others."""

    def page(request: web.Request) -> Any:
        return body if "cursor" not in request.query else {"items": ITEMS, "next": None}

    return page


JSON = "application/json"
POST = {"request": {"method": "POST", "path": "/items", "body": {}}}
CUT = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{"
LATIN = '{"items": [{"id": "ä"}]}'.encode("latin-1")
ONCE_MORE = {"max_retries": 1, "retry_delay": 1}
FAULTS = {
    "login-page": Fault(typed(b"<!doctype html><title>Sign in</title>", "text/html"), "HTML"),
    "damaged-json": Fault(typed(b'{"items": [{"id": 1, "na', JSON), "breaks off after 24 bytes"),
    "cut-body": Fault([CUT, CUT], "broke off (tried 2 times)", retry=ONCE_MORE),
    "reset": Fault([RESET, RESET], "(tried 2 times)", retry=ONCE_MORE),
    "silence": Fault(
        [HANG, HANG], "in time (tried 2 times)", connection={"timeout": 0.2}, retry=ONCE_MORE
    ),
    "too-large": Fault(typed(LARGE, JSON), "larger than", connection=SMALL),
    "gzip-bomb": Fault(
        typed(gzip.compress(LARGE), JSON, Content_Encoding="gzip"), "larger than", connection=SMALL
    ),
    "zip-bomb": Fault(typed(zipped(LARGE), "application/zip"), "unpacks to", connection=SMALL),
    "wrong-encoding": Fault(typed(b'{"items": []}', JSON, Content_Encoding="gzip"), "broke off"),
    "unknown-charset": Fault(typed(LATIN, JSON), "the charset it claims"),
    "deep-nesting": Fault(typed(b"[" * 100_000 + b"]" * 100_000, JSON), "nested"),
    "not-a-number": Fault(typed(b'{"items": [{"id": 1}, {"id": NaN}, {"id": 2}]}', JSON), rows=TWO),
    "xml-entities": Fault(
        typed(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "application/xml"), "entit"
    ),
    "no-content": Fault(says(None, 204), "is missing"),
    "missing-path": Fault(says({"data": ITEMS, "page": 1}), "data, page"),
    "null-records": Fault(says({"items": None}), "null"),
    "ok-false": Fault(
        says({"ok": False, "error": "not today"}),
        "not today",
        source={"response": {"success": "ok"}},
    ),
    "unauthorized": Fault(says({"error": "who?"}, 401), "401", kind="credentials"),
    "forbidden": Fault(says({"error": "no"}, 403), "403", kind="credentials"),
    "not-found": Fault(says({"error": "no"}, 404), "404"),
    "server-error": Fault(
        says({"error": "boom"}, 500), "tried 3 times", retry={"max_retries": 2, "retry_delay": 1}
    ),
    "endless-wait": Fault(
        says({}, 429, Retry_After="31536000"), "longer than retry.max_wait", retry={}
    ),
    "odd-wait": Fault(says({"items": ITEMS}, Retry_After="soon"), rows=TWO),
    "redirect-loop": Fault(says(None, 302, Location="/items"), "redirects more than"),
    "redirect-away": Fault(says(None, 302, Location="https://elsewhere.example/"), "elsewhere"),
    "redirect-post": Fault(says(None, 302, Location="/other"), "into a GET", source=POST),
    "link-away": links("https://elsewhere.example/?page=2", "elsewhere.example"),
    "link-private": links("http://169.254.169.254/latest", "169.254.169.254"),
    "link-file": links("file:///etc/passwd", "file"),
    "same-page": Fault(says({"items": ITEMS}), "the same records", source={"paginate": NUMBERED}),
    "same-token": Fault(
        lambda request: {"items": [{"id": len(request.query)}], "next": "a"},
        "leads back",
        source={"paginate": TOKENS},
    ),
    "empty-for-ever": Fault(
        lambda request: {"items": [], "next": int(request.query.get("cursor", "0")) + 1},
        "100 pages in a row are empty",
        source={"paginate": TOKENS},
    ),
    "more-but-where": Fault(
        says({"items": ITEMS, "more": True}),
        "but not where",
        source={"paginate": {**TOKENS, "has_more": "more"}},
    ),
    "wrong-total": Fault(
        says({"items": ITEMS, "total": 9}),
        "claims 9 records, but 2 arrived",
        kind="imbalance",
        source={"paginate": {"type": "none", "total": "total"}},
    ),
    "no-total": Fault(
        says({"items": ITEMS}),
        "missing, or no number",
        source={"paginate": {"type": "none", "total": "total"}},
    ),
    "steals-variable": Fault(
        says({"items": ITEMS, "next": "${env:HOME}"}),
        "one of this machine's variables",
        source={"paginate": TOKENS},
    ),
    "mixed-cursors": Fault(
        says({"items": [{"id": 1, "updated_at": 7}, {"id": 2, "updated_at": "2026-01-01"}]}),
        "a time in one place and a number in another",
        source={"incremental": {"cursor": "updated_at", "param": "since"}},
    ),
    "huge-integer": Fault(says({"items": [{"id": 2**100}]}), rows=[(str(2**100),)]),
    "duplicate-keys": Fault(typed(b'{"items": [{"id": 1, "id": 2}]}', JSON), rows=[(2,)]),
    "bom": Fault(typed(b"\xef\xbb\xbf" + json.dumps({"items": ITEMS}).encode(), JSON), rows=TWO),
    "empty-page": Fault(
        only_first({"items": [], "next": "b"}), source={"paginate": TOKENS}, rows=TWO
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_fault_ends_as_the_page_says(case: str, tmp_path: Path) -> None:
    fault, database = FAULTS[case], tmp_path / "items.db"
    with fault.serving() as server:
        plan = integration(
            server.url,
            database,
            source={
                "api": {"base_url": server.url, **fault.connection},
                "records": "$.items",
                "paginate": {"type": "none"},
                **fault.source,
            },
            map={"id": "id"},
            retry=fault.retry,
        )
        if fault.rows:
            run(plan)
            assert query(database, "SELECT id FROM items ORDER BY id") == fault.rows
            return
        error = failed_run(plan)
    told = f"{error.message} {error.advice}"
    assert fault.words in told
    assert (error.kind, bool(error.request or fault.kind == "imbalance")) == (fault.kind, True)


def test_every_case_is_on_the_page() -> None:
    assert sorted(FAULTS) == sorted(CASES)
