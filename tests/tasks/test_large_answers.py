from __future__ import annotations

import gzip
import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.flows.running import query, run
from tests.support.reading import client, paginator
from tests.support.server import answer, compressed, replies, serve, serve_raw

from astrio.blocks.errors import ApiAnswerError, ApiUnavailableError
from astrio.flows.integration import Integration
from astrio.tasks.answers import Answers
from astrio.tasks.batch import Page
from astrio.tasks.http.body import LARGEST_IN_MEMORY
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import Tail
from astrio.tasks.reading import ReadPlan, read_pages
from astrio.tasks.settings import ResponseSettings

FILLING = "x" * 1000
COUNT = LARGEST_IN_MEMORY // 1000 + 500
LINES = b"".join(b'{"id":%d,"f":"%s"}\n' % (n, FILLING.encode()) for n in range(COUNT))


async def read(url: str, settings: dict[str, Any] | None = None, *, limit: int | None = None,
               page: dict[str, Any] | None = None, **options: Any) -> list[Page]:  # fmt: skip
    answers = Answers(ResponseSettings.model_validate({"format": "jsonl", **(settings or {})}))
    made = paginator(page or {"type": "none"})
    first = made.first(ApiRequest("GET", "/orders"))
    plan = ReadPlan(first, made, records="$", answers=answers, limit=limit)
    async with client(url, **options) as opened:
        return [page async for page in read_pages(opened, plan)]


def ids(pages: list[Page]) -> list[int]:
    return [record["id"] for page in pages for record in page.records]


async def test_one_large_answer_becomes_several_pages() -> None:
    with serve(lambda _: answer(LINES)) as server:
        pages = await read(server.url)
    assert ids(pages) == list(range(COUNT))
    assert max(page.fetched for page in pages) <= 1000
    assert {page.number for page in pages} == {1}
    assert [page.stop_reason for page in pages[-2:]] == [None, "single_page"]
    assert all(page.resume is None for page in pages)


async def test_a_small_answer_stays_one_page() -> None:
    with serve(lambda _: answer(LINES[:100_000].rpartition(b"\n")[0])) as server:
        assert len(await read(server.url)) == 1


async def test_a_retry_spools_the_answer_anew() -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(LINES)
    with serve_raw(whole + LINES[: LARGEST_IN_MEMORY + 1000], whole + LINES) as server:
        pages = await read(server.url)
        assert len(server.requests) == 2
    assert ids(pages) == list(range(COUNT))


async def test_a_cut_off_compressed_download_is_never_taken_for_whole() -> None:
    body = compressed(gzip.compress(LINES)[:-20])
    with serve_raw(body) as server, pytest.raises(ApiUnavailableError):
        await read(server.url, retry={"max_retries": 0})


async def test_a_download_beyond_its_limit_is_refused() -> None:
    with (
        serve_raw(compressed(gzip.compress(LINES))) as server,
        pytest.raises(ApiAnswerError, match=r"larger than 5,000 bytes.*max_download_bytes"),
    ):
        await read(server.url, limits={"max_download_bytes": 5000})


@pytest.mark.parametrize("kind", ["gzip", "zip"])
async def test_a_packed_download_is_read_in_pieces(kind: str) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.jsonl", LINES)
    packed = gzip.compress(LINES, 0) if kind == "gzip" else file.getvalue()
    with serve(lambda _: answer(packed)) as server:
        assert ids(await read(server.url)) == list(range(COUNT))


async def test_a_small_file_that_unpacks_to_much_is_read_in_pieces() -> None:
    packed = gzip.compress(LINES)
    assert len(packed) < LARGEST_IN_MEMORY
    with serve(lambda _: answer(packed)) as server:
        pages = await read(server.url)
    assert ids(pages) == list(range(COUNT))
    assert max(page.fetched for page in pages) <= 1000
    assert sum(page.size for page in pages) == len(LINES)


async def test_a_page_knows_how_large_its_body_was() -> None:
    body = LINES[:100_000].rpartition(b"\n")[0]
    with serve(lambda _: answer(body)) as server:
        assert [page.size for page in await read(server.url)] == [len(body)]


async def test_a_limit_ends_the_reading_in_the_middle_of_an_answer() -> None:
    with serve(lambda _: answer(LINES)) as server:
        pages = await read(server.url, limit=1500)
    assert ids(pages) == list(range(1500))
    assert pages[-1].stop_reason == "limit"


async def test_pagination_counts_every_piece_of_an_answer() -> None:
    def page(request: web.Request) -> web.Response:
        return answer(LINES if request.query["offset"] == "0" else b"")

    with serve(page) as server:
        settings = {"type": "offset", "param": "offset"}
        pages = await read(server.url, page=settings)
        assert [each.query["offset"] for each in server.requests] == [["0"], [str(COUNT)]]
    assert ids(pages) == list(range(COUNT))


async def test_a_predicate_judges_what_stands_before_the_records() -> None:
    body = b"<o ok='1'>" + (b"<r><f>" + FILLING.encode() + b"</f></r>") * COUNT + b"</o>"
    with serve(lambda _: answer(body)) as server:
        for success, fails in (("o['@ok'] == '1'", False), ("o['@ok'] == '2'", True)):
            settings = ResponseSettings(format="xml", success=success)
            answers = Answers(settings, "o.r")
            made = paginator({"type": "none"})
            read_plan = ReadPlan(ApiRequest("GET", "/"), made, records="o.r", answers=answers)
            async with client(server.url) as opened:
                if fails:
                    with pytest.raises(ApiAnswerError, match="no success"):
                        await anext(read_pages(opened, read_plan))
                else:
                    pages = [page async for page in read_pages(opened, read_plan)]
                    assert sum(page.fetched for page in pages) == COUNT
                    assert len(pages) > 1


async def test_a_broken_line_in_the_middle_fails_with_its_number() -> None:
    with (
        serve(lambda _: answer(LINES + b"{broken\n")) as server,
        pytest.raises(ApiAnswerError, match=f"Line {COUNT + 1:,} of the answer") as caught,
    ):
        await read(server.url)
    assert "(page 1)" in (caught.value.request or "")


def test_the_last_records_of_an_answer_know_how_many_came_before() -> None:
    tail = Tail([7, 8], 10)
    assert (len(tail), tail[-1], bool(Tail([], 0))) == (12, 8, False)


def plan(url: str, database: Path) -> Integration:
    return Integration.model_validate(
        {
            "name": "export",
            "source": {"api": {"base_url": url}, "response": {"format": "jsonl"}},
            "map": {"id": "id"},
            "push": {"to": {"url": f"sqlite:///{database}"}, "table": "t"},
            "retry": {"max_retries": 0},
        }
    )


def test_an_append_of_a_large_answer_is_whole_or_nothing(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    with serve(replies(answer(LINES + b"{broken\n"), answer(LINES))) as server:
        with pytest.raises(ApiAnswerError):
            run(plan(server.url, database))
        assert query(database, "SELECT count(*) FROM t") in ([], [(0,)])
        report = run(plan(server.url, database))
    assert query(database, "SELECT count(*), count(DISTINCT id) FROM t") == [(COUNT, COUNT)]
    assert (report.records.fetched, report.pages) == (COUNT, 1)


READER = """
import asyncio, resource, sys
from tests.tasks.test_large_answers import count
print(asyncio.run(count(sys.argv[1])), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


async def count(url: str) -> int:
    answers = Answers(ResponseSettings(format="jsonl"))
    made = paginator({"type": "none"})
    read_plan = ReadPlan(ApiRequest("GET", "/"), made, records="$", answers=answers)
    async with client(url) as opened:
        return sum([page.fetched async for page in read_pages(opened, read_plan)])


@pytest.mark.slow
def test_200_megabytes_are_read_in_little_memory() -> None:
    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(200 * 1024 * 1024 // len(LINES)):
            await response.write(LINES)
        await response.write_eof()
        return response

    with serve(stream) as server:
        told = subprocess.run(
            [sys.executable, "-c", READER, server.url], capture_output=True, text=True, check=True
        ).stdout.split()
    assert int(told[0]) == COUNT * (200 * 1024 * 1024 // len(LINES))
    assert int(told[1]) < 200 * 1024, "KiB resident at most"
