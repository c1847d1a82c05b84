"""`push: {to: {integration: …}}` and `source: {event: …}`: handed over once, nothing lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.flows.api import cursor_api, integration, record
from tests.flows.running import Faulty, failed_run, query, run

from astrio.flows.integration import Integration
from astrio.tasks.destinations.opening import quarantine_rows
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.webhooks.inbox.handing import count_waiting, edge

EDGE = [edge("items", "names")]


@pytest.fixture(params=["sqlite", "postgres"], autouse=True)
def _ledger(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "postgres":
        monkeypatch.setenv("ASTRIO_LEDGER_URL", request.getfixturevalue("postgres_url"))


def sender(url: str, **more: Any) -> Integration:
    return integration(url, Path("unused"), push={"to": {"integration": "names"}}, **more)


def receiver(database: Path, mode: str = "append", **more: Any) -> Integration:
    document = {
        "name": "names",
        "source": {"event": "items", **more.pop("source", {})},
        "map": {"id": "id", "name": "upper(name)"},
        "push": {"to": {"url": f"sqlite:///{database}"}, "table": "names", "mode": mode},
        **more,
    }
    return Integration.model_validate(document)


def names(database: Path) -> list[tuple[int, str]]:
    return query(database, "SELECT id, name FROM names ORDER BY id")


def expected(count: int) -> list[tuple[int, str]]:
    return [(number, f"NAME {number}") for number in range(count)]


def bodies() -> list[bytes | None]:
    with Ledger().reading() as connection:
        return list(connection.execute(text("SELECT sealed FROM _astrio_event")).scalars())


def test_the_records_of_one_are_mapped_and_written_by_the_other(tmp_path: Path) -> None:
    database = tmp_path / "names.db"
    with cursor_api([record(number) for number in range(25)]) as api:
        report = run(sender(api.url))
    assert (report.records.written, report.state) == (25, "completed")
    assert count_waiting(EDGE) > 0
    taken = run(receiver(database))
    assert (taken.records.fetched, taken.records.written) == (25, 25)
    assert names(database) == expected(25)
    assert count_waiting(EDGE) == 0
    again = run(receiver(database))
    assert (again.records.fetched, again.state) == (0, "completed")
    assert names(database) == expected(25)


def test_what_waits_is_encrypted_and_erased_once_it_is_taken_over(tmp_path: Path) -> None:
    with cursor_api([record(1, name="canary-name")]) as api:
        run(sender(api.url))
    [waiting] = bodies()
    assert waiting is not None
    assert b"canary" not in bytes(waiting)
    run(receiver(tmp_path / "names.db"))
    assert bodies() == [None]


def test_the_receivers_filter_and_rules_apply_and_what_they_reject_is_kept(tmp_path: Path) -> None:
    plan = receiver(
        tmp_path / "names.db",
        source={"filter": "id != 3"},
        validate=[{"field": "id", "validator": "max:1"}],
    )
    with cursor_api([record(number) for number in range(5)]) as api:
        run(sender(api.url))
    counts = run(plan).records
    assert (counts.fetched, counts.filtered, counts.rejected, counts.written) == (5, 1, 2, 2)
    assert {row["key"] for row in quarantine_rows(plan.push, plan.name)} == {None}
    assert count_waiting(EDGE) == 0


def test_a_dry_run_of_either_hands_nothing_over(tmp_path: Path) -> None:
    database = tmp_path / "names.db"
    with cursor_api([record(number) for number in range(5)]) as api:
        dry = run(sender(api.url), dry_run=True)
        assert dry.difference is not None
        assert (dry.difference.new, count_waiting(EDGE)) == (5, 0)
        run(sender(api.url))
    assert run(receiver(database), dry_run=True).records.written == 5
    assert count_waiting(EDGE) == 1
    run(receiver(database))
    assert names(database) == expected(5)


def test_a_sender_that_starts_again_hands_nothing_over_twice(tmp_path: Path) -> None:
    database = tmp_path / "names.db"
    api = Faulty([record(number) for number in range(30)], at=20, fault=lambda _: (500, {}))
    with api.serving():
        paged = {"type": "offset", "param": "cursor", "limit_param": "size", "limit": 10}
        plan = sender(api.server.url, source={"paginate": paged}, retry={"max_retries": 0})
        failed_run(plan)
        run(receiver(database))
        assert len(names(database)) in {0, 10, 20}
        api.fault = None
        assert run(plan).records.fetched == 30
    run(receiver(database))
    assert names(database) == expected(30)


def test_a_receiver_that_fails_leaves_the_records_for_its_next_run(tmp_path: Path) -> None:
    database = tmp_path / "missing" / "names.db"
    with cursor_api([record(number) for number in range(5)]) as api:
        run(sender(api.url))
    failed_run(receiver(database))
    assert count_waiting(EDGE) == 1
    database.parent.mkdir()
    run(receiver(database))
    assert names(database) == expected(5)


KILLED = """
import asyncio, os, pathlib, signal, sys
from astrio.flows.engine import run_without_prefect
from astrio.flows.integration import Integration
from astrio.tasks import pushing
from astrio.tasks.destinations.sql.destination import SqlDestination

name, at = sys.argv[1], int(sys.argv[2])
pushing.CHUNK_ROWS = 10
seen = 0
call = getattr(SqlDestination, name)

def killed(*args, **kwargs):
    global seen
    result = None if name == "finish" else call(*args, **kwargs)
    seen += 1
    if seen == at:
        os.kill(os.getpid(), signal.SIGKILL)
    return result or call(*args, **kwargs)

setattr(SqlDestination, name, killed)
text = pathlib.Path("plan.json").read_text()
asyncio.run(run_without_prefect(Integration.model_validate_json(text)))
"""


def kill(plan: Integration, folder: Path, name: str, at: int) -> None:
    (folder / "plan.json").write_text(plan.model_dump_json(by_alias=True, exclude_none=True))
    process = subprocess.run(
        [sys.executable, "-c", KILLED, name, str(at)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
        timeout=100,
        capture_output=True,
        text=True,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr


@pytest.mark.parametrize(
    ("name", "at"), [pytest.param("commit", 2, marks=pytest.mark.slow), ("finish", 1)]
)
def test_either_may_be_killed_at_any_point(tmp_path: Path, name: str, at: int) -> None:
    database = tmp_path / "names.db"
    with cursor_api([record(number) for number in range(35)]) as api:
        kill(sender(api.url), tmp_path, name, at)
        assert run(sender(api.url)).records.fetched == 35
    kill(receiver(database), tmp_path, name, 1)
    report = run(receiver(database))
    counts = report.records
    assert counts.balanced
    assert names(database) == expected(35)
    assert count_waiting(EDGE) == 0


def test_values_are_handed_over_as_json(tmp_path: Path) -> None:
    records = [
        record(1, name="x", email=None, extra={"a": [1, 2.5, True, 12345678901234567890123]})
    ]
    with cursor_api(records) as api:
        plan = sender(api.url, map={"id": "id", "more.extra": "extra", "price": "decimal('1.50')"})
        run(plan)
    database = tmp_path / "names.db"
    run(receiver(database, map={"id": "id", "more": "json(more.extra)", "price": "price"}))
    [(more, price)] = query(database, "SELECT more, price FROM names")
    assert json.loads(more) == {"a": [1, 2.5, True, 12345678901234567890123]}
    assert str(price) in {"1.50", "1.5"}
