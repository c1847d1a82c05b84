"""Slices of other kinds: windows, tokens, feeds that are newest first, and a deadline."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from tests.flows.api import integration, record
from tests.flows.running import failed_run, query, rows_of, run, stored, watermark
from tests.support.server import answer, serve

from astrio.flows.integration import Integration

NOW = datetime.now(UTC).replace(microsecond=0)


def daily(number: int) -> dict[str, Any]:
    moment = NOW - timedelta(days=40 - number)
    return record(number, updated_at=moment.isoformat().replace("+00:00", "Z"))


RECORDS = [daily(number) for number in range(40)]
WINDOWS = {
    "cursor": "updated_at",
    "param": "since",
    "end_param": "until",
    "start": RECORDS[0]["updated_at"],
}


class Archive:
    """Records of [since, until) by cursor pages of ten; broken from a record on, until mended."""

    def __init__(self, records: list[dict[str, Any]], broken_at: int | None = None) -> None:
        self.records, self.broken_at = records, broken_at

    def __call__(self, request: web.Request) -> Any:
        since, until = request.query["since"], request.query.get("until", "9")
        chosen = [each for each in self.records if since <= each["updated_at"] < until]
        start = int(request.query.get("cursor", "0"))
        page = chosen[start : start + 3]
        if self.broken_at is not None and any(each["id"] >= self.broken_at for each in page):
            return answer({"error": "broken"}, 400)
        following = start + 3 if start + 3 < len(chosen) else None
        return {"items": page, "next": following, "total": len(chosen)}


def windowed(url: str, database: Path, **more: Any) -> Integration:
    paginate = {"type": "cursor", "next": "$.next", "total": "total"}
    return integration(
        url, database, source={"paginate": paginate, "incremental": {**WINDOWS, **more}}
    )


def test_a_run_reads_its_windows_and_balances(tmp_path: Path) -> None:
    database = tmp_path / "items.db"
    with serve(Archive(RECORDS)) as server:
        report = run(windowed(server.url, database, step="10d"))
    assert (report.records.claimed, report.records.written) == (40, 40)
    assert stored(database) == rows_of(RECORDS)


def test_a_run_that_fails_keeps_the_windows_that_are_whole(tmp_path: Path) -> None:
    database = tmp_path / "items.db"
    api = Archive(RECORDS, broken_at=25)
    with serve(api) as server:
        plan = windowed(server.url, database, step="10d")
        failed_run(plan)
        assert watermark(database) == RECORDS[19]["updated_at"]
        assert [row[0] for row in stored(database)] == list(range(23))
        api.broken_at = None
        server.requests.clear()
        report = run(plan)
        assert server.requests[0].query["since"] == [RECORDS[20]["updated_at"]]
        assert server.requests[0].query["cursor"] == ["3"]
    assert (report.records.claimed, report.records.fetched) == (40, 40)
    assert stored(database) == rows_of(RECORDS)
    assert watermark(database) == RECORDS[39]["updated_at"]


class Changes:
    """A feed with a token: all records first, then what changed since the token was given."""

    def __init__(self, records: list[dict[str, Any]]) -> None:
        self.records = records
        self.forgotten = False

    def __call__(self, request: web.Request) -> Any:
        token = request.query.get("token", "0")
        if self.forgotten and token != "0":
            return answer({"error": "gone"}, 410)
        chosen = self.records[int(token) :]
        start = int(request.query.get("cursor", "0"))
        more = start + 10 < len(chosen)
        body = {"items": chosen[start : start + 10]}
        return {**body, "next": start + 10} if more else {**body, "sync": str(len(self.records))}


def feed(url: str, database: Path, **more: Any) -> Integration:
    return integration(url, database, source={"incremental": {"token": "sync", **more}})


def test_the_next_run_goes_on_from_the_token(tmp_path: Path) -> None:
    database, api = tmp_path / "items.db", Changes(list(RECORDS))
    with serve(api) as server:
        plan = feed(server.url, database, param="token")
        first = run(plan)
        api.records.append(record(40))
        server.requests.clear()
        second = run(plan)
        assert server.requests[0].query == {"token": ["40"]}
    assert (first.records.written, second.records.written) == (40, 1)
    assert (first.checkpoint, watermark(database)) == ({"sync": "40"}, "41")
    assert second.window.start is None


def test_a_token_that_is_no_longer_known_lets_everything_be_read(tmp_path: Path) -> None:
    database, api = tmp_path / "items.db", Changes(list(RECORDS))
    with serve(api) as server:
        plan = feed(server.url, database, param="token")
        run(plan)
        api.forgotten = True
        report = run(plan)
    assert (report.records.fetched, report.records.unchanged) == (40, 40)


def test_a_url_may_stand_for_the_token(tmp_path: Path) -> None:
    def changes(request: web.Request) -> Any:
        if request.path == "/delta":
            return {"items": [record(99)], "link": f"{request.url.origin()}/delta?from=2"}
        return {"items": RECORDS[:2], "link": f"{request.url.origin()}/delta?from=1"}

    database = tmp_path / "items.db"
    with serve(changes) as server:
        plan = integration(
            server.url,
            database,
            source={"incremental": {"token": "link"}, "paginate": {"type": "none"}},
        )
        run(plan)
        run(plan)
        assert [each.target for each in server.requests] == ["/items", "/delta?from=1"]
    assert [row[0] for row in stored(database)] == [0, 1, 99]


def test_a_last_page_without_a_token_fails(tmp_path: Path) -> None:
    with serve(lambda _: {"items": RECORDS[:2]}) as server:
        error = failed_run(feed(server.url, tmp_path / "items.db", param="token"))
    assert "no token at sync" in str(error)


def test_a_token_has_no_order_that_since_could_mean(tmp_path: Path) -> None:
    error = failed_run(feed("http://127.0.0.1:9", tmp_path / "items.db"), since="2026-01-01")
    assert "need incremental.cursor" in str(error)


def test_a_feed_that_is_newest_first_is_read_to_what_is_known(tmp_path: Path) -> None:
    records = list(RECORDS)

    def newest(request: web.Request) -> Any:
        ordered = records[::-1]
        start = int(request.query.get("cursor", "0"))
        following = start + 10 if start + 10 < len(ordered) else None
        return {"items": ordered[start : start + 10], "next": following, "total": len(ordered)}

    database = tmp_path / "items.db"
    with serve(newest) as server:
        plan = integration(
            server.url,
            database,
            source={
                "paginate": {"type": "cursor", "next": "$.next", "total": "total"},
                "incremental": {"cursor": "updated_at", "newest_first": True},
            },
        )
        run(plan)
        records.append(daily(39) | {"id": 50})
        server.requests.clear()
        report = run(plan)
        assert len(server.requests) == 2
    assert report.stop_reason == "out_of_range"
    assert (report.records.claimed, report.records.written, report.records.unchanged) == (
        None,
        1,
        1,
    )
    assert report.records.filtered == 18
    assert watermark(database) == RECORDS[39]["updated_at"]


def test_a_run_that_takes_too_long_ends_and_goes_on_later(tmp_path: Path) -> None:
    slow = {"now": True}

    async def pages(request: web.Request) -> Any:
        start = int(request.query.get("cursor", "0"))
        if slow["now"] and start:
            await asyncio.sleep(30)
        following = start + 10 if start + 10 < len(RECORDS) else None
        return {"items": RECORDS[start : start + 10], "next": following}

    database = tmp_path / "items.db"
    with serve(pages) as server:
        api = {"base_url": server.url, "timeout": {"run": 1.5}}
        plan = integration(server.url, database, source={"api": api})
        error = failed_run(plan)
        assert "timeout.run" in str(error)
        assert len(stored(database)) == 10
        slow["now"] = False
        report = run(plan)
    assert report.records.fetched == 40
    assert query(database, "SELECT count(*) FROM items") == [(40,)]
