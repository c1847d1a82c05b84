"""kill -9 between the commits of two destinations, run again: each has every record once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool
from tests.flows.api import cursor_api, integration, record
from tests.flows.kill_points import OF_SEVERAL, killing
from tests.flows.running import run
from tests.flows.several.killing import run_killed
from tests.support.connectors import Write
from tests.support.server import serve

from astrio.flows.integration import Integration
from astrio.tasks.report import RunReport

RECORDS = [record(number) for number in range(35)]
LONG = pytest.mark.slow
POINTS = [
    ("commit", 1),
    ("commit", 4),
    pytest.param("commit", 8, marks=LONG),
    ("finish", 1),
]
INCREMENTAL = {"incremental": {"cursor": "updated_at", "param": "since"}}
FEED = """
def items(context):
    for number in range(35):
        yield [{"id": number, "updated_at": f"2026-01-01T00:00:{number:02d}Z"}]
"""


@pytest.fixture(params=["sqlite", "postgres"])
def second(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The second destination's URL; the first one is SQLite."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/two.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


def ids(url: str) -> list[int]:
    driver = make_url(url).drivername.replace("postgresql", "postgresql+psycopg")
    engine = create_engine(make_url(url).set(drivername=driver), poolclass=NullPool)
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT id FROM items ORDER BY id")).scalars())


def places(first: str, second: str, modes: tuple[str, str]) -> list[dict[str, Any]]:
    return [
        {"to": {"url": url}, "table": "items", "mode": mode}
        | ({"key": ["id"]} if mode == "upsert" else {})
        for url, mode in zip((first, second), modes, strict=True)
    ]


def balanced(report: RunReport) -> bool:
    parts = [report.records, *(each.records for each in report.destinations)]
    return all(each.balanced and each.fetched == len(RECORDS) for each in parts)


@pytest.mark.parametrize(("method", "at"), POINTS)
@pytest.mark.parametrize(
    "source", [pytest.param({}, marks=LONG), INCREMENTAL], ids=["whole", "incremental"]
)
def test_where_the_position_survives_both_go_on_from_it(
    tmp_path: Path, second: str, source: dict[str, Any], method: str, at: int
) -> None:
    first = f"sqlite:///{tmp_path}/one.db"
    push = places(first, second, ("append", "append"))
    with cursor_api([*RECORDS]) as api:
        plan = integration(api.url, Path("unused"), push=push, source=source)
        assert run_killed(plan, tmp_path, method, at)
        report = run(plan)
    assert ids(first) == ids(second) == list(range(35))
    assert balanced(report)
    assert report.records.written + report.records.unchanged == 35


@pytest.mark.parametrize(
    "modes", [("append", "append"), ("upsert", "append"), ("append", "upsert")]
)
def test_one_that_had_ended_still_knows_the_boundary_when_the_others_have(
    tmp_path: Path, second: str, modes: tuple[str, str]
) -> None:
    first = f"sqlite:///{tmp_path}/one.db"
    records = [*RECORDS]
    with cursor_api(records) as api:
        push = places(first, second, modes)
        plan = integration(api.url, Path("unused"), push=push, source=INCREMENTAL)
        assert run_killed(plan, tmp_path, "finish", 1)
        run(plan)  # reads nothing: all pages are committed
        records += [record(34, id=35), record(36)]
        report = run(plan)
    assert ids(first) == ids(second) == list(range(37))
    assert (report.records.fetched, report.records.written) == (3, 2)


@pytest.mark.slow
@pytest.mark.parametrize("modes", [("upsert", "append"), ("append", "upsert")])
def test_one_that_adds_rows_beside_one_that_updates_them(
    tmp_path: Path, second: str, modes: tuple[str, str]
) -> None:
    first = f"sqlite:///{tmp_path}/one.db"
    with cursor_api([*RECORDS]) as api:
        plan = integration(api.url, Path("unused"), push=places(first, second, modes))
        for method, at in (("commit", 3), ("commit", 1), ("finish", 1)):
            assert run_killed(plan, tmp_path, method, at)
        report = run(plan)
    assert ids(first) == ids(second) == list(range(35))
    assert balanced(report)


@pytest.mark.parametrize("incremental", [{}, {"incremental": {"cursor": "updated_at"}}])
@pytest.mark.parametrize(("method", "at"), [pytest.param("commit", 3, marks=LONG), ("finish", 1)])
def test_where_it_does_not_each_slice_is_one_transaction_in_each(
    write: Write, tmp_path: Path, second: str, incremental: dict[str, Any], method: str, at: int
) -> None:
    write("feed.py", FEED)
    first = f"sqlite:///{tmp_path}/one.db"
    document = {
        "name": "feed",
        "source": {"python": "feed:items", **incremental},
        "push": places(first, second, ("append", "append")),
    }
    plan = Integration.model_validate(document)
    assert run_killed(plan, tmp_path, method, at)
    report = run(plan)
    assert ids(first) == ids(second) == list(range(35))
    assert balanced(report)
    again = run(plan)  # whole sources are added once more by each run, to both alike
    assert ids(first) == ids(second)
    assert again.records.written == (0 if incremental else 35)


def test_events_that_one_destination_has_are_not_added_there_again(
    home: Path, tmp_path: Path, second: str
) -> None:
    first = f"sqlite:///{tmp_path}/one.db"
    appended("one", range(3))
    plan = Integration.model_validate(
        {
            "name": "events",
            "source": {"event": "one"},
            "push": places(first, second, ("append", "append")),
        }
    )
    assert run_killed(plan, tmp_path, "commit", 1)
    appended("one", range(3, 5))
    report = run(plan)
    assert ids(first) == ids(second) == list(range(5))
    assert report.records.balanced


def appended(sender: str, numbers: range) -> None:
    """Let records wait for `events`, each in a portion of its own."""
    with serve(lambda _: [{"id": number} for number in numbers]) as api:
        push = {"to": {"integration": "events"}}
        source = {"api": {"base_url": api.url}, "request": {"path": f"/{numbers.start}"}}
        run(Integration.model_validate({"name": sender, "source": source, "push": push}))


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("modes", [("append", "append"), ("upsert", "append")])
def test_fifty_kills(home: Path, tmp_path: Path, second: str, modes: tuple[str, str]) -> None:
    first = f"sqlite:///{tmp_path}/one.db"
    records = [*RECORDS]
    committed, ended = OF_SEVERAL
    killed = 0
    with cursor_api(records) as api, killing(make_url(second).drivername) as killer:
        plan = integration(
            api.url, Path("unused"), push=places(first, second, modes), source=INCREMENTAL
        )
        for number in range(90):
            point, nth = (ended, 1) if number % 5 == 4 else (committed, 1 + number % 7)
            killed += killer.run(plan, point, nth, rows=10)
            records += map(record, range(len(records), len(records) + 40))
            if killed == 50:
                break
        run(plan)
    assert killed == 50
    assert ids(first) == ids(second) == list(range(len(records)))
