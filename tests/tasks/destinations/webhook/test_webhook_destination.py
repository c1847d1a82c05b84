"""`push: {to: {webhook: …}}`: each record becomes an event in the outbox, each content once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from tests.flows.running import run
from tests.support.server import Server, serve
from tests.tasks.webhooks.outbox.delivering import SECRET, bodies, deliver, rows, target

from astrio.flows.integration import Integration
from astrio.tasks.destinations.opening import quarantine_rows, stream_status

RECORDS: list[dict[str, Any]] = [{"id": number, "customer": {"n": "Ada"}} for number in range(5)]


@pytest.fixture(params=["sqlite", "postgres"], autouse=True)
def _ledger(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    if request.param == "postgres":
        monkeypatch.setenv("ASTRIO_LEDGER_URL", request.getfixturevalue("postgres_url"))


@pytest.fixture
def receiver() -> Iterator[Server]:
    with serve(lambda _: {}) as server:
        yield server


def integration(api: Server, to: dict[str, Any], **more: Any) -> Integration:
    document = {
        "name": "users-out",
        "source": {"api": {"base_url": api.url}, "request": {"path": "/users"}},
        "map": {"user.id": "int(id)", "user.name": "customer.n"},
        "push": {"to": to, "key": ["user.id"]},
        **more,
    }
    return Integration.model_validate(document)


def test_each_record_is_an_event_on_its_way_to_the_webhook(receiver: Server) -> None:
    settings = target(receiver.url).model_dump(mode="json", exclude_none=True)
    with serve(lambda _: RECORDS) as api:
        report = run(integration(api, {"webhook": settings}))
    assert report.records.written == 5
    deliver()
    assert sorted(each["user"]["id"] for each in bodies(receiver.requests)) == [0, 1, 2, 3, 4]
    request = receiver.requests[0]
    assert Webhook(SECRET).verify(request.body.decode(), dict(request.headers))
    assert rows("SELECT DISTINCT name, target FROM _astrio_outbox") == [("users-out", "users-out")]


def test_what_was_sent_is_unchanged_and_what_has_changed_is_sent(receiver: Server) -> None:
    records = [dict(each) for each in RECORDS]
    with serve(lambda _: records) as api:
        file = integration(api, {"webhook": receiver.url})
        run(file)
        records[0]["customer"] = {"n": "Ben"}
        report = run(file)
    assert (report.records.written, report.records.unchanged) == (1, 4)


def test_rejects_and_the_streams_state_are_kept_in_the_ledger(receiver: Server) -> None:
    with serve(lambda _: [*RECORDS, {"id": "seven"}]) as api:
        file = integration(api, {"webhook": receiver.url})
        report = run(file)
    assert (report.records.written, report.records.rejected) == (5, 1)
    assert len(quarantine_rows(file.push, file.name)) == 1
    last = stream_status(file.push, file.name).last_run
    assert last is not None
    assert last["records"]["written"] == 5


def test_a_record_that_is_too_large_for_an_event_is_told(receiver: Server) -> None:
    records = [*RECORDS, {"id": 9, "customer": {"n": "x" * 300_000}}]
    with serve(lambda _: records) as api:
        file = integration(api, {"webhook": receiver.url})
        report = run(file)
    assert (report.records.written, report.records.failed) == (5, 1)
    [row] = quarantine_rows(file.push, file.name)
    assert "bytes" in row["reason"]
    assert rows("SELECT count(*) FROM _astrio_outbox") == [(5,)]
