"""What is left of an earlier run: replays, runs that failed half-way, secrets, memory."""

from __future__ import annotations

import asyncio
import gc
import threading
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.flows.running import Faulty, failed_run, query, run
from tests.flows.test_replay import replay
from tests.support.server import answer, serve
from tests.support.strict_api import StrictApi
from tests.tasks.destinations.api.pushing import RECORDS, api, integration, upsert

from astrio.blocks.errors import ConfigurationError, LeaseHeldError
from astrio.flows.engine import run_without_prefect
from astrio.flows.integration import Integration
from astrio.tasks import pushing
from astrio.tasks.batch import Batch, Page
from astrio.tasks.destinations.api.deliverer import Deliverer
from astrio.tasks.destinations.api.destination import ApiDestination
from astrio.tasks.destinations.base import Chunk, RunIdentity
from astrio.tasks.destinations.opening import open_destination, quarantine_rows
from astrio.tasks.destinations.part import Part


def abort(request: web.Request) -> Any:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_a_replay_sends_again_what_is_unknown(mode: str) -> None:
    def lose(request: web.Request, body: Any) -> Any:
        return abort(request) if body["id"] == 1 else None

    crm = StrictApi(before=lose)
    more = upsert() if mode == "upsert" else {"push": {"key": ["id"]}}
    with serve(lambda _: RECORDS) as source, serve(crm) as server:
        plan = integration(source, api(server.url), **more)
        assert run(plan).records.failed == 1
        crm.before = lambda *_: None
        report = replay(plan)
        assert (report.records.fetched, report.records.written) == (1, 1)
        assert quarantine_rows(plan.push, plan.name) == []
        again = run(plan)
    expected = (0, 5) if mode == "upsert" else (5, 0)
    assert (again.records.written, again.records.unchanged) == expected
    assert crm.effects[:5] == [RECORDS[0], *RECORDS[2:], RECORDS[1]]


def test_a_replay_of_what_is_unknown_carries_the_key_it_was_sent_with() -> None:
    crm = StrictApi(after=lambda request, _: abort(request))
    to = api("", request={"path": "/contacts", "idempotency_key": True})
    with serve(lambda _: RECORDS[:1]) as source, serve(crm) as server:
        plan = integration(source, to | {"api": {"base_url": server.url}})
        failed_run(plan)
        crm.after = lambda *_: None
        report = run(plan)
    assert report.records.written == 1
    assert crm.effects == RECORDS[:1]
    assert len(crm.sent) == 2


def failing_at(key: int, crm: StrictApi) -> None:
    crm.before = lambda _, body: answer({}, 429) if body["id"] == key else None


@pytest.mark.parametrize("paginate", ["cursor", "offset"])
def test_an_append_that_failed_half_way_goes_on_where_it_stopped(paginate: str) -> None:
    crm = StrictApi()
    records = [record | {"updated_at": "x"} for record in RECORDS] + [
        RECORDS[0] | {"updated_at": "x"}
    ]
    source = Faulty(records, size=2)
    pages: dict[str, Any] = {
        "cursor": {"type": "cursor", "param": "cursor", "next": "next"},
        "offset": {"type": "offset", "param": "cursor", "limit_param": "size", "limit": 2},
    }
    with source.serving(), serve(crm) as server:
        reading = {
            "api": {"base_url": source.server.url},
            "request": {"path": "/items"},
            "records": "$.items",
            "paginate": pages[paginate],
        }
        plan = integration(source.server, api(server.url), source=reading)
        failing_at(3, crm)
        failed_run(plan)
        crm.before = lambda *_: None
        report = run(plan)
        assert crm.effects == [*RECORDS, RECORDS[0]]
        assert report.records.balanced
        run(plan)
    assert len(crm.effects) == 12


def test_ctrl_c_ends_a_long_chunk_early_and_the_next_run_sends_the_rest() -> None:
    crm, records = StrictApi(), [{"id": each, "name": "x"} for each in range(40)]
    begun, cancelled = threading.Event(), threading.Event()

    async def held(*_: Any) -> None:
        if crm.effects:  # the first is let through
            begun.set()
            await asyncio.to_thread(cancelled.wait, 30)

    crm.before = held

    async def interrupted(plan: Integration) -> None:
        running = asyncio.create_task(run_without_prefect(plan))
        await asyncio.to_thread(begun.wait, 30)
        running.cancel()
        await asyncio.sleep(0)  # it is told
        cancelled.set()
        with suppress(asyncio.CancelledError):
            await running

    with serve(lambda _: records) as source, serve(crm) as server:
        plan = integration(source, api(server.url), **upsert())
        asyncio.run(interrupted(plan))
        assert 0 < len(crm.effects) < 40
        crm.before = lambda *_: None
        report = run(plan)
    assert sorted(each["id"] for each in crm.effects) == list(range(40))
    assert report.records.balanced


def test_the_report_counts_the_requests_of_both_sides() -> None:
    with serve(lambda _: RECORDS) as source, serve(StrictApi()) as server:
        report = run(integration(source, api(server.url)))
    assert report.requests.sent == 6


def test_the_journal_holds_no_content_and_an_append_leaves_nothing_in_it(home: Path) -> None:
    with serve(lambda _: RECORDS) as source, serve(StrictApi()) as server:
        run(integration(source, api(server.url)))
        assert query(home / "ledger.db", "SELECT * FROM _astrio_sent") == []
        run(integration(source, api(server.url, returns={"id": "$.id"}), **upsert()))
    rows = query(home / "ledger.db", "SELECT * FROM _astrio_sent")
    assert len(rows) == 5
    assert not any(b"made-" in (value if isinstance(value, bytes) else str(value).encode())
                   for row in rows for value in row)  # fmt: skip


def test_parts_of_a_stream_are_pushed_beside_one_another_in_whole_records() -> None:
    with serve(lambda _: RECORDS) as source, serve(StrictApi()) as server:
        plan = integration(source, api(server.url))
        parts = [open_destination(plan.push, plan.name) for _ in range(2)]
        for part, name in zip(parts, ("store=a", "store=b"), strict=True):
            assert isinstance(part, ApiDestination)
            with pytest.raises(ConfigurationError, match="whole records"):
                part.only(Part(path=(name,), columns=("name",)))
            part.only(Part(path=(name,)))
            part.open(RunIdentity(name, plan.name))
            part.begin_slice(atomic=False)
        batch = Batch(Page(1, fetched=1), ("id",), [(1,)], [{"id": 1}])
        assert [part.commit(Chunk([batch])).written for part in parts] == [1, 1]
        for part in parts:
            part.close()
    assert len(server.requests) == 2


def test_a_second_run_of_the_stream_is_refused() -> None:
    with serve(lambda _: RECORDS) as source, serve(StrictApi()) as server:
        plan = integration(source, api(server.url))
        other = open_destination(plan.push, plan.name)
        other.open(RunIdentity("other", plan.name))
        try:
            assert isinstance(failed_run(plan), LeaseHeldError)
        finally:
            other.close()


@pytest.mark.usefixtures("ledger")
def test_secrets_are_in_nothing_that_a_run_leaves(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    canaries = {"CANARY_A": "hdr-cAnary+7f/9=Zq", "CANARY_B": "brr-cAnary+8a/2=Kp"}
    for name, value in canaries.items():
        monkeypatch.setenv(name, value)

    def reply(request: web.Request) -> Any:
        told = f"key {request.headers['X-Key']} {request.headers['Authorization']} is bad"
        return answer({"message": told}, 422)

    request = {
        "path": "/${env:CANARY_A}/{{id}}",
        "params": {"api_key": "${env:CANARY_A}"},
        "headers": {"X-Key": "${env:CANARY_A}"},
        "body": {"secret": "${env:CANARY_B}", "id": "{{id}}"},
    }
    with serve(lambda _: RECORDS) as source, serve(reply) as server:
        connection = {
            "base_url": server.url,
            "auth": {"type": "bearer", "token": "${env:CANARY_B}"},
        }
        plan = integration(source, api("", api=connection, request=request), **upsert())
        error = failed_run(plan)
        dry = run(plan, dry_run=True)
    left = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    reasons = str([row["reason"] for row in quarantine_rows(plan.push, plan.name)])
    texts = [str(error), reasons, dry.model_dump_json(), caplog.text, left.decode("latin-1")]
    assert "is bad" in reasons
    assert [text for text in texts for value in canaries.values() if value in text] == []


@pytest.mark.parametrize("number", [800, pytest.param(3_200, marks=pytest.mark.slow)])
def test_memory_does_not_grow_with_what_is_pushed(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "CHUNK_ROWS", 200)
    held: list[int] = []
    deliver = Deliverer.deliver

    def measured(self: Deliverer, chunk: Chunk) -> None:
        deliver(self, chunk)
        gc.collect()  # httpx's requests are cycles, and collections are rare during a run
        held.append(tracemalloc.get_traced_memory()[0])

    monkeypatch.setattr(Deliverer, "deliver", measured)
    records = [{"id": each, "name": "x" * 1_000, "updated_at": "x"} for each in range(number)]
    source = Faulty(records, size=50)
    with source.serving(), serve(lambda _: {}) as server:
        server.requests = source.server.requests = Forgetful()
        reading = {
            "api": {"base_url": source.server.url},
            "request": {"path": "/items"},
            "records": "$.items",
            "paginate": {"type": "cursor", "param": "cursor", "next": "next"},
        }
        plan = integration(source.server, api(server.url, batch=50), source=reading)
        tracemalloc.start()
        run(plan)
        tracemalloc.stop()
    assert held[-1] - held[1] < number * 300, "of a thousand bytes a record"


class Forgetful(list[Any]):
    """Requests that nobody looks at."""

    def append(self, _: Any) -> None:
        """Forget it."""
