"""APIs and databases that misbehave: a clear failure, no loss, and the next run completes."""

from __future__ import annotations

import asyncio
import gzip
import sqlite3
import subprocess
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.flows.api import integration, record
from tests.flows.running import Faulty, failed_run, last_report, query, rows_of, run, stored
from tests.support.server import answer, serve

from astrio.blocks.errors import AstrioError
from astrio.flows.integration import Integration

Fault = Callable[[web.Request], Any]
RECORDS = [record(number) for number in range(35)]
MEGABYTE = 1 << 20


def html(_: web.Request) -> Any:
    return answer("<!doctype html><title>Sign in</title>")


def truncated(_: web.Request) -> Any:
    return web.Response(body=b'{"items": [{"id": 1, "na', content_type="application/json")


def bare_list(_: web.Request) -> Any:
    return RECORDS[:10]


def object_for_list(_: web.Request) -> Any:
    return {"items": {"id": 1}, "next": None}


def list_of_lists_elsewhere(_: web.Request) -> Any:
    return {"data": RECORDS[:10], "next": None}


def null_records(_: web.Request) -> Any:
    return {"items": None, "next": None}


def not_gzip(_: web.Request) -> Any:
    return web.Response(body=b'{"items": []}', headers={"Content-Encoding": "gzip"})


def brotli(_: web.Request) -> Any:
    return web.Response(body=b"\x0b\x02\x80{}\x03", headers={"Content-Encoding": "br"})


def same_cursor(request: web.Request) -> Any:
    start = int(request.query.get("cursor", "0"))
    return {"items": RECORDS[start : start + 10], "next": start}


def same_records_under_new_cursors(request: web.Request) -> Any:
    start = int(request.query.get("cursor", "0"))
    return {"items": RECORDS[:10], "next": start + 10}


def links_elsewhere(_: web.Request) -> Any:
    return answer(status=302, headers={"Location": "https://collector.example/items"})


def failing(_: web.Request) -> Any:
    return answer({"error": "boom"}, 500)


def not_found(_: web.Request) -> Any:
    return answer({"error": "gone"}, 404)


FAULTS: list[tuple[Fault, str]] = [
    (html, "HTML"),
    (truncated, "breaks off"),
    (bare_list, "items"),
    (object_for_list, "items"),
    (list_of_lists_elsewhere, "items"),
    (null_records, "items"),
    (not_gzip, "broke off"),
    (brotli, "br"),
    (same_cursor, "leads back"),
    (same_records_under_new_cursors, "same records"),
    (links_elsewhere, "collector.example"),
    (failing, "500"),
    (not_found, "404"),
]

REPEATING = (same_cursor, same_records_under_new_cursors)  # their first page is good


def named(value: Any) -> str:
    return value.__name__ if callable(value) else ""


@pytest.mark.parametrize("mode", ["upsert", "append"])
@pytest.mark.parametrize(("fault", "words"), FAULTS, ids=named)
def test_a_bad_page_fails_the_run_by_name_and_a_mended_api_completes_it(
    tmp_path: Path, fault: Fault, words: str, mode: str
) -> None:
    database = tmp_path / "items.db"
    with Faulty(RECORDS, at=10, fault=fault).serving() as api:
        plan = pushing(integration(api.server.url, database), mode)
        error = failed_run(plan)
        assert error.kind == "api"
        assert words in error.message
        assert error.request is not None
        assert f"{api.server.url}/items?cursor=10 (page 2)" in error.request
        assert stored(database) == rows_of(RECORDS[:10])
        kept = last_report(database)
        assert (kept.state, kept.stop_reason) == ("failed", "error")
        assert kept.error is not None
        assert (kept.error.message, kept.error.request) == (error.message, error.request)
        assert kept.records.fetched == kept.records.accounted == 10
        api.fault = None
        report = run(plan)
        assert report.state == "completed"
        assert report.records.fetched == report.records.written == 35
        assert stored(database) == rows_of(RECORDS)


@pytest.mark.parametrize(
    ("fault", "words"), [each for each in FAULTS if each[0] not in REPEATING], ids=named
)
def test_a_bad_first_page_leaves_no_rows(tmp_path: Path, fault: Fault, words: str) -> None:
    database = tmp_path / "items.db"
    with Faulty(RECORDS, fault=fault).serving() as api:
        plan = integration(api.server.url, database)
        error = failed_run(plan)
        assert words in error.message
        assert "(page 1)" in str(error.request)
        assert stored(database) == []
        assert last_report(database).state == "failed"
        api.fault = None
        assert run(plan).state == "completed"
        assert stored(database) == rows_of(RECORDS)


def pushing(plan: Integration, mode: str) -> Integration:
    return plan.model_copy(update={"push": plan.push.model_copy(update={"mode": mode})})


def test_pages_that_stay_empty_end_the_run_and_lose_nothing_when_the_api_is_mended(
    tmp_path: Path,
) -> None:
    def empty(request: web.Request) -> Any:
        return {"items": [], "next": int(request.query["cursor"]) + 1}

    database = tmp_path / "items.db"
    with Faulty(RECORDS, at=10, fault=empty).serving() as api:
        plan = integration(api.server.url, database)
        error = failed_run(plan)
        assert "100 pages in a row are empty" in error.message
        assert "(page 101)" in str(error.request)
        assert len(api.server.requests) == 101
        api.fault = None
        report = run(plan)
        assert report.records.fetched == 35
        assert stored(database) == rows_of(RECORDS)


def test_endless_new_records_end_at_max_pages_with_that_as_the_reason(tmp_path: Path) -> None:
    def endless(request: web.Request) -> Any:
        start = int(request.query.get("cursor", "0"))
        return {"items": [record(start)], "next": start + 1}

    database = tmp_path / "items.db"
    paginate = {"type": "cursor", "param": "cursor", "next": "$.next", "max_pages": 7}
    with serve(endless) as server:
        report = run(integration(server.url, database, source={"paginate": paginate}))
    assert report.pages == 7
    assert report.stop_reason == "limit"


def test_a_page_of_100_megabytes_is_refused_early(tmp_path: Path) -> None:
    sent = 0

    async def huge(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        block = b'{"items": [' + b" " * (64 << 10)
        while sent < 100 * MEGABYTE:
            await response.write(block)
            sent += len(block)
        return response

    error, requests = capped_run(tmp_path, huge)
    assert "larger than 1,048,576 bytes" in error.message
    assert "max_response_bytes" in error.advice
    assert sent < 20 * MEGABYTE  # what fits into the buffers of both sockets
    assert requests == 1


def test_a_page_that_announces_100_megabytes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    async def announced(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(100 * MEGABYTE)})
        await response.prepare(request)
        await asyncio.sleep(60)
        return response

    error, _ = capped_run(tmp_path, announced)
    assert "larger than 1,048,576 bytes" in error.message


def test_a_small_answer_that_inflates_to_100_megabytes_is_refused_in_bounded_memory(
    tmp_path: Path,
) -> None:
    bomb = gzip.compress(b'{"items": [' + b" " * (100 * MEGABYTE))

    def inflating(_: web.Request) -> Any:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    tracemalloc.start()
    try:
        error, _ = capped_run(tmp_path, inflating)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "larger than 1,048,576 bytes" in error.message
    assert peak < 32 * MEGABYTE


def capped_run(tmp_path: Path, fault: Fault) -> tuple[AstrioError, int]:
    """Run against a limit of 1 MiB, then mend and complete; return the error and its requests."""
    database = tmp_path / "items.db"
    with Faulty(RECORDS, fault=fault).serving() as api:
        capped = {"base_url": api.server.url, "limits": {"max_response_bytes": MEGABYTE}}
        plan = integration(api.server.url, database, source={"api": capped})
        error = failed_run(plan)
        requests = len(api.server.requests)
        assert "(page 1)" in str(error.request)
        assert stored(database) == []
        api.fault = None
        assert run(plan).state == "completed"
        assert stored(database) == rows_of(RECORDS)
    return error, requests


@pytest.mark.parametrize("mode", ["upsert", "append"])
@pytest.mark.parametrize("leads", ["redirect", "next"])
def test_another_origin_is_never_asked(tmp_path: Path, leads: str, mode: str) -> None:
    database, secret = tmp_path / "items.db", "a-very-secret-token"
    with serve(lambda _: {"items": []}) as other:

        def away(_: web.Request) -> Any:
            if leads == "redirect":
                return answer(status=307, headers={"Location": f"{other.url}/items"})
            return {"items": RECORDS[:10], "next": f"{other.url}/items?cursor=10"}

        def linked(request: web.Request) -> Any:
            page = api(request)
            if isinstance(page, dict) and isinstance(page["next"], int):
                page["next"] = f"/items?cursor={page['next']}"
            return page

        api = Faulty(RECORDS, fault=away)
        with serve(linked) as server:
            connection = {"base_url": server.url, "auth": {"type": "bearer", "token": secret}}
            source = {"api": connection, "paginate": {"type": "next_url", "next": "$.next"}}
            plan = pushing(integration(server.url, database, source=source), mode)
            error = failed_run(plan)
            assert other.url in error.message
            assert "credentials are not sent there" in error.message
            assert "base_url" in error.advice
            assert secret not in str(error)
            assert "(page 1)" in str(error.request)
            assert last_report(database).state == "failed"
            assert stored(database) == []
            api.fault = None
            assert run(plan).state == "completed"
        assert other.requests == []
    assert stored(database) == rows_of(RECORDS)


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_cost_one_request_and_write_nothing(
    tmp_path: Path, status: int
) -> None:
    database = tmp_path / "items.db"
    refused = answer({"message": "Bad token"}, status)
    with Faulty(RECORDS, fault=lambda _: answer(refused.body, status)).serving() as api:
        retry = {"max_retries": 5, "retry_delay": 1, "retry_on_status": [401, 403, 500]}
        plan = integration(api.server.url, database, retry=retry)
        error = failed_run(plan)
        assert error.kind == "credentials"
        assert str(status) in error.message
        assert "(page 1)" in str(error.request)
        assert len(api.server.requests) == 1
        assert query(database, "SELECT name FROM sqlite_master WHERE name = 'items'") == []
        assert last_report(database).requests.sent == 1
        api.fault = None
        assert run(plan).state == "completed"
        assert stored(database) == rows_of(RECORDS)


def test_an_api_that_always_fails_is_asked_as_often_as_the_file_says(tmp_path: Path) -> None:
    database = tmp_path / "items.db"
    with Faulty(RECORDS, fault=failing).serving() as api:
        retry = {"max_retries": 4, "retry_delay": 1}
        error = failed_run(integration(api.server.url, database, retry=retry))
        assert len(api.server.requests) == 5
    assert "tried 5 times" in error.message
    kept = last_report(database)
    assert (kept.requests.sent, kept.requests.retried) == (5, 4)


def test_a_folder_that_does_not_exist_is_named_and_nothing_is_asked(tmp_path: Path) -> None:
    database = tmp_path / "missing" / "items.db"
    with Faulty(RECORDS).serving() as api:
        plan = integration(api.server.url, database)
        error = failed_run(plan)
        assert error.kind == "destination"
        assert str(database.parent) in error.message
        assert api.server.requests == []
        database.parent.mkdir()
        assert run(plan).state == "completed"
    assert stored(database) == rows_of(RECORDS)


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    database = tmp_path / "items.db"
    database.write_text("dear diary, " * 100)
    with Faulty(RECORDS).serving() as api:
        plan = integration(api.server.url, database)
        error = failed_run(plan)
        assert error.kind == "destination"
        assert "is not a SQLite database" in error.message
        assert api.server.requests == []
        assert database.read_text() == "dear diary, " * 100
        database.unlink()
        assert run(plan).state == "completed"
    assert stored(database) == rows_of(RECORDS)


def test_a_file_that_cannot_be_written_keeps_its_state(tmp_path: Path) -> None:
    database = tmp_path / "items.db"
    with Faulty(RECORDS[:20]).serving() as api:
        plan = integration(api.server.url, database)
        run(plan)
        api.records = RECORDS
        error = failed_run(to(plan, f"sqlite:///file:{database}?mode=ro&uri=true"))
        assert error.kind == "destination"
        assert "cannot be written" in error.message
        assert stored(database) == rows_of(RECORDS[:20])
        assert run(plan).state == "completed"
    assert stored(database) == rows_of(RECORDS)


def to(plan: Integration, url: str) -> Integration:
    push = plan.push.model_dump() | {"to": {"url": url}}
    return plan.model_copy(update={"push": type(plan.push).model_validate(push)})


def impatient(url: str, database: Path) -> Integration:
    return to(integration(url, database), f"sqlite:///{database}?timeout=0.05")


def locked(database: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    return connection


def test_a_database_locked_at_the_start_fails_the_run_before_a_request(tmp_path: Path) -> None:
    database = tmp_path / "items.db"
    with Faulty(RECORDS).serving() as api:
        plan = impatient(api.server.url, database)
        with closing(locked(database)):
            error = failed_run(plan)
        assert error.kind == "destination"
        assert "locked" in error.message
        assert api.server.requests == []
        assert run(plan).state == "completed"
    assert stored(database) == rows_of(RECORDS)


@pytest.mark.parametrize("mode", ["upsert", "append"])
def test_a_database_locked_in_the_middle_keeps_what_was_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr("astrio.tasks.pushing.CHUNK_ROWS", 10)
    database = tmp_path / "items.db"
    locks: list[sqlite3.Connection] = []
    with Faulty(RECORDS, at=20).serving() as api:

        async def lock_and_answer(request: web.Request) -> Any:
            for _ in range(1000):
                if len(stored(database)) == 20:
                    break
                await asyncio.sleep(0.01)
            locks.append(locked(database))
            api.fault = None
            return api(request)

        api.fault = lock_and_answer
        plan = pushing(impatient(api.server.url, database), mode)
        error = failed_run(plan)
        locks[0].close()
        assert error.kind == "destination"
        assert "locked" in error.message
        assert stored(database) == rows_of(RECORDS[:20])
        lapse(database)
        report = run(plan)
    assert report.records.fetched == report.records.written == 35
    assert stored(database) == rows_of(RECORDS)


def lapse(database: Path) -> None:
    """End the lease of a run that could not give it back, as half a minute would."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE _astrio_lease SET expires_at = '2000-01-01'")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a small disk takes the rights of root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("mode", ["upsert", "append"])
def test_a_full_disk_fails_the_run_and_more_space_completes_it(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr("astrio.tasks.pushing.CHUNK_ROWS", 100)
    database = small_disk / "items.db"
    records = [record(number, name=f"{number} " + "x" * 200) for number in range(2000)]
    with Faulty(records, size=100).serving() as api:
        plan = pushing(integration(api.server.url, database), mode)
        error = failed_run(plan)
        assert error.kind == "destination"
        assert "disk is full" in error.message
        assert "Free some space" in error.advice
        kept = stored(database)
        assert kept == rows_of(records[: len(kept)])
        assert len(kept) % 100 == 0
        grow = ["mount", "-o", "remount,size=64m", str(small_disk)]
        subprocess.run(grow, check=True, capture_output=True)
        lapse(database)
        report = run(plan)
    assert report.state == "completed"
    assert report.records.fetched == report.records.written == 2000
    assert stored(database) == rows_of(records)
