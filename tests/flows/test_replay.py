"""A replay: quarantined records, today's mapping, a balanced report; nothing else moves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, text
from tests.flows.api import integration, record
from tests.flows.running import Faulty, run

from astrio.blocks.errors import AstrioError, ConfigurationError, LeaseHeldError
from astrio.flows.engine import engine
from astrio.flows.integration import Integration
from astrio.flows.replaying import Replay
from astrio.tasks.destinations.base import Chunk, RunIdentity
from astrio.tasks.destinations.opening import (
    last_runs,
    open_destination,
    quarantine_records,
    quarantine_rows,
    stream_status,
)
from astrio.tasks.ledger.sealing import VARIABLE
from astrio.tasks.report import RunReport

MENDED = {"id": "id", "name": "name", "email": "email", "updated_at": "updated_at"}
BROKEN = MENDED | {"name": "if(name == 'bad', int(name), name)"}


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/items.db"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture
def api() -> Iterator[Faulty]:
    records = [record(number) for number in range(1, 26)]
    for number in (3, 7, 20):
        records[number - 1]["name"] = "bad"
    with Faulty(records).serving() as faulty:
        yield faulty


@pytest.fixture(autouse=True)
def _home(home: Path) -> Path:
    return home


def plan(api: Faulty, url: str, **changes: Any) -> Integration:
    """Return an integration whose mapping rejects the bad records unless it is mended."""
    push = {"to": {"url": url}, "table": "items", "mode": "upsert", "key": ["id"]}
    push |= changes.pop("push", {})
    changes = {"map": BROKEN, "push": push} | changes
    return integration(api.server.url, Path("unused.db"), **changes)


def replay(plan: Integration, *numbers: int) -> RunReport:
    """Replay to the end."""
    return asyncio.run(engine(Replay(plan, numbers)))


def ids(url: str) -> list[int]:
    """Return the ids of the rows."""
    database = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with database.connect() as connection:
        found = list(connection.execute(text("SELECT id FROM items ORDER BY id")).scalars())
    database.dispose()
    return found


def keys(plan: Integration, state: str | None = "open") -> list[str | None]:
    return [row["key"] for row in quarantine_rows(plan.push, plan.name, state)]


def shown(plan: Integration) -> list[dict[str, Any]]:
    numbers = [row["id"] for row in quarantine_rows(plan.push, plan.name, None)]
    return quarantine_records(plan.push, plan.name, numbers)


def counts(report: RunReport) -> dict[str, int]:
    """Return what is not zero."""
    found = report.records.model_dump(exclude={"claimed"})
    return {name: count for name, count in found.items() if count}


def test_records_are_written_once_the_mapping_is_mended(api: Faulty, url: str) -> None:
    first = run(plan(api, url))
    assert counts(first) == {"fetched": 25, "rejected": 3, "written": 22}
    api.server.requests.clear()
    report = replay(plan(api, url, map=MENDED))
    assert counts(report) == {"fetched": 3, "written": 3}
    assert (report.state, report.replay, report.stop_reason) == ("completed", True, "no_next")
    assert report.records.balanced
    assert ids(url) == list(range(1, 26))
    assert keys(plan(api, url), "resolved") == ["3", "7", "20"]
    assert api.server.requests == []
    assert counts(replay(plan(api, url, map=MENDED))) == {}


def test_some_records_are_replayed_by_their_ids(api: Faulty, url: str) -> None:
    run(plan(api, url))
    mended = plan(api, url, map=MENDED)
    wanted = quarantine_rows(mended.push, mended.name)[1]["id"]
    assert counts(replay(mended, wanted)) == {"fetched": 1, "written": 1}
    assert keys(mended) == ["3", "20"]
    with pytest.raises(ConfigurationError, match=f"no open record {wanted}, 999"):
        replay(mended, 999, wanted)


def test_what_fails_again_stays_with_its_new_reason_and_is_not_counted_as_seen(
    api: Faulty, url: str
) -> None:
    run(plan(api, url))
    (before, *_) = shown(plan(api, url))
    mapping = MENDED | {"email": "if(id == 3, int(email), email)"}
    report = replay(plan(api, url, map=mapping))
    assert counts(report) == {"fetched": 3, "rejected": 1, "written": 2}
    assert report.state == "completed_with_rejects"
    (after, *_) = shown(plan(api, url))
    renewed = {"field": "email", "mapping": after["mapping"], "problems": after["problems"]}
    assert after == before | renewed | {"reason": after["reason"]}
    assert after["mapping"] != before["mapping"]
    assert after["problems"][0]["reason"] == after["reason"] != before["reason"]


def test_a_replay_of_which_nothing_succeeds_is_no_failed_run(api: Faulty, url: str) -> None:
    run(plan(api, url))
    report = replay(plan(api, url))
    assert counts(report) == {"fetched": 3, "rejected": 3}
    assert report.state == "completed_with_rejects"


def test_what_the_filter_leaves_out_today_is_counted_and_resolved(api: Faulty, url: str) -> None:
    run(plan(api, url))
    filtered = plan(api, url, map=MENDED, source={"filter": "id != 7"})
    assert counts(replay(filtered)) == {"fetched": 3, "filtered": 1, "written": 2}
    assert keys(filtered) == []
    assert 7 not in ids(url)


def test_appended_rows_are_appended_once(api: Faulty, url: str) -> None:
    append = {"push": {"mode": "append", "key": []}}
    run(plan(api, url, **append))
    mended = plan(api, url, map=MENDED, **append)
    assert counts(replay(mended)) == {"fetched": 3, "written": 3}
    assert counts(replay(mended)) == {}
    assert ids(url) == list(range(1, 26))


@pytest.mark.parametrize("key", [["id"], []])
def test_a_replay_never_takes_the_place_of_a_whole_table(
    api: Faulty, url: str, key: list[str]
) -> None:
    replacing = {"push": {"mode": "replace", "key": key}}
    run(plan(api, url, **replacing))
    report = replay(plan(api, url, map=MENDED, **replacing))
    assert counts(report) == {"fetched": 3, "written": 3}
    assert ids(url) == list(range(1, 26))
    assert counts(run(plan(api, url, map=MENDED, **replacing)))["fetched"] == 25
    assert ids(url) == list(range(1, 26))


def test_watermark_and_resume_point_stay_as_they_are(api: Faulty, url: str) -> None:
    incremental = {"source": {"incremental": {"cursor": "updated_at", "param": "since"}}}
    run(plan(api, url, **incremental))
    begun = plan(api, url, **incremental)
    destination = open_destination(begun.push, begun.name)
    destination.open(RunIdentity("someone", begun.name))
    destination.begin_slice(atomic=False)
    destination.commit(Chunk([], resume=lambda _: {"page": 2}))
    destination.close()
    before = stream_status(begun.push, begun.name)
    assert before.watermark is not None
    report = replay(plan(api, url, map=MENDED, **incremental))
    after = stream_status(begun.push, begun.name)
    assert report.checkpoint is None
    assert (after.watermark, after.unfinished) == (before.watermark, True)
    assert last_runs(begun.push, begun.name, 1)[0]["replay"] is True


def test_now_is_the_start_of_the_run_that_rejected(api: Faulty, url: str) -> None:
    clock = MENDED | {"updated_at": "str(now())"}
    run(plan(api, url, map=clock | {"name": BROKEN["name"]}))
    replay(plan(api, url, map=clock))
    database = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with database.connect() as connection:
        found = connection.execute(text("SELECT DISTINCT updated_at FROM items")).all()
    database.dispose()
    assert len(found) == 1


def test_records_of_several_runs_are_mapped_by_several_clocks(api: Faulty, url: str) -> None:
    clock = MENDED | {"updated_at": "str(now())"}
    broken = plan(api, url, map=clock | {"name": BROKEN["name"]})
    run(broken)
    api.records.append(record(26, name="bad"))
    run(broken)
    report = replay(plan(api, url, map=clock))
    assert counts(report) == {"fetched": 4, "written": 4}


def test_a_record_that_was_told_by_its_content_is_told_by_its_key_once_that_is_known(
    api: Faulty, url: str
) -> None:
    unkeyed = BROKEN | {"id": "if(name == 'bad', int(name), id)"}
    run(plan(api, url, map=unkeyed))
    assert keys(plan(api, url)) == [None] * 3
    replay(plan(api, url))
    assert keys(plan(api, url)) == ["3", "7", "20"]
    api.records[2]["name"] = "mended"
    run(plan(api, url))
    assert keys(plan(api, url)) == ["7", "20"]


def test_two_rows_of_one_key_stay_two(api: Faulty, url: str) -> None:
    unkeyed = BROKEN | {"id": "if(name == 'bad', int(name), id)"}
    run(plan(api, url, map=unkeyed))
    api.records[2]["email"] = "changed@example.com"
    run(plan(api, url))
    assert keys(plan(api, url)) == [None, None, None, "3", "7", "20"]
    assert counts(replay(plan(api, url))) == {"fetched": 6, "rejected": 6}
    assert len(keys(plan(api, url))) == 6
    assert counts(replay(plan(api, url, map=MENDED)))["fetched"] == 6
    assert keys(plan(api, url)) == []
    assert ids(url) == list(range(1, 26))


def test_a_row_that_the_database_refuses_is_failed_and_stays(api: Faulty, url: str) -> None:
    run(plan(api, url))
    longer = plan(api, url, map=MENDED | {"name": "if(id == 7, pad(name, 5, '\\u0000'), name)"})
    report = replay(longer)
    assert counts(report) == {"fetched": 3, "failed": 1, "written": 2}
    assert keys(longer) == ["7"]


def test_a_record_of_another_key_stays_and_is_told(
    api: Faulty, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, Fernet.generate_key().decode())
    run(plan(api, url))
    monkeypatch.setenv(VARIABLE, Fernet.generate_key().decode())
    api.records.append(record(26, name="bad"))
    run(plan(api, url, source={"filter": "id == 26 or name != 'bad'"}))
    mended = plan(api, url, map=MENDED)
    with pytest.raises(ConfigurationError, match="cannot be replayed") as caught:
        replay(mended, quarantine_rows(mended.push, mended.name)[0]["id"])
    assert VARIABLE in caught.value.message
    report = replay(mended)
    assert counts(report) == {"fetched": 1, "written": 1}
    assert "3 quarantined records cannot be replayed" in report.warnings[0]
    assert keys(mended) == ["3", "7", "20"]
    with pytest.raises(ConfigurationError, match="3 quarantined records"):
        replay(mended)


def test_a_replay_waits_for_no_run_at_work(api: Faulty, url: str) -> None:
    run(plan(api, url))
    held = plan(api, url, map=MENDED)
    destination = open_destination(held.push, held.name)
    destination.open(RunIdentity("someone", held.name))
    try:
        with pytest.raises(LeaseHeldError):
            replay(held)
    finally:
        destination.close()


def test_a_line_that_could_not_be_read_is_no_record_for_any_mapping(api: Faulty, url: str) -> None:
    lines = '{"id": 1, "name": "a"}\n{"id": 2, "na\n'
    response = {"response": {"format": "jsonl", "broken": "reject"}, "records": "$"}
    api.fault = lambda _: web.Response(text=lines, content_type="application/jsonl")
    broken = plan(api, url, map=None, source=response | {"paginate": {"type": "none"}})
    assert counts(run(broken)) == {"fetched": 2, "rejected": 1, "written": 1}
    assert counts(replay(broken)) == {"fetched": 1, "rejected": 1}
    assert ids(url) == [1]


def test_an_item_that_the_api_failed_is_judged_again(api: Faulty, url: str) -> None:
    failed = {"response": {"failed": "name == 'bad'"}}
    run(plan(api, url, map=MENDED, source=failed))
    assert counts(replay(plan(api, url, map=MENDED, source=failed))) == {
        "fetched": 3,
        "rejected": 3,
    }
    assert counts(replay(plan(api, url, map=MENDED)))["written"] == 3


def test_more_than_a_page_is_replayed_in_order(
    api: Faulty, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("astrio.flows.quarantine_pages.SIZE", 10)
    api.records = [record(number, name="bad") for number in range(1, 26)] + [record(26)]
    run(plan(api, url))
    report = replay(plan(api, url, map=MENDED))
    assert (report.pages, counts(report)) == (3, {"fetched": 25, "written": 25})
    assert ids(url) == list(range(1, 27))


def test_a_replay_needs_nothing_of_the_api(
    api: Faulty, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    auth = {"type": "bearer", "token": "${env:ITEMS_TOKEN}"}
    source = {"api": {"base_url": api.server.url, "auth": auth}}
    monkeypatch.setenv("ITEMS_TOKEN", "secret-of-the-api")
    run(plan(api, url, source=source))
    monkeypatch.delenv("ITEMS_TOKEN")
    assert counts(replay(plan(api, url, map=MENDED, source=source)))["written"] == 3


def test_a_mapping_with_mistakes_fails_the_replay_and_changes_nothing(
    api: Faulty, url: str
) -> None:
    run(plan(api, url))
    with pytest.raises(AstrioError):
        replay(plan(api, url, map=MENDED | {"name": "nam("}))
    assert keys(plan(api, url)) == ["3", "7", "20"]
