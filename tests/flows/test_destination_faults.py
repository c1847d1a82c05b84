"""Destinations that fail in the middle of a run: it ends cleanly, and the next one completes.

The long form waits as long as a user would have to: `pytest -m slow
tests/flows/test_destination_faults.py`.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool
from tests.flows.api import integration, record
from tests.flows.running import Faulty, failed_run, rows_of, run, stored
from tests.support.postgres import CannotStartError, PostgresServer, postgres_server

from astrio.flows.integration import Integration
from astrio.tasks import pushing
from astrio.tasks.report import RunReport

RECORDS = [record(number) for number in range(300)]


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "CHUNK_ROWS", 50)


@contextmanager
def at(api: Faulty, position: int, happens: Callable[[], Any]) -> Iterator[None]:
    """Let something happen once, when the page at that position is asked for."""
    happened = threading.Event()

    def answer(request: Any) -> Any:
        if not happened.is_set():
            happened.set()
            happens()
        api.fault = None
        return api(request)

    api.at, api.fault = position, answer
    yield
    assert happened.is_set()


def whole(report: RunReport) -> None:
    """Check that a report accounts for every record, as a run that was never disturbed."""
    assert report.state == "completed"
    assert report.records.balanced
    assert report.records.fetched == report.records.written == len(RECORDS)


@contextmanager
def locked(file: Path, until: Callable[[], bool]) -> Iterator[Callable[[], None]]:
    """Yield what locks a SQLite file, from another thread, until something is true."""
    held, threads = threading.Event(), list[threading.Thread]()

    def hold() -> None:
        with closing(sqlite3.connect(file, isolation_level=None, timeout=60)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            held.set()
            while not until():
                time.sleep(0.05)
            connection.execute("ROLLBACK")

    def lock() -> None:
        threads.append(threading.Thread(target=hold))
        threads[0].start()
        assert held.wait(60)

    yield lock
    for thread in threads:
        thread.join()


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[tuple[Faulty, Integration, Path]]:
    database = tmp_path / "items.db"
    with Faulty(RECORDS, size=25).serving() as api:
        yield api, integration(api.server.url, database), database


def test_a_run_waits_while_sqlite_is_locked_for_a_while(
    plan: tuple[Faulty, Integration, Path],
) -> None:
    api, given, database = plan
    pages = api.server.requests
    # The source is read on while the destination waits: that shows that the run is waiting.
    with locked(database, lambda: len(pages) >= 6) as lock, at(api, 75, lock):
        report = run(given)
    whole(report)
    assert stored(database) == rows_of(RECORDS)


@pytest.mark.parametrize("seconds", [1, pytest.param(30, marks=pytest.mark.slow)])
def test_a_run_fails_cleanly_where_sqlite_is_locked_for_too_long(
    plan: tuple[Faulty, Integration, Path], seconds: int
) -> None:
    api, given, database = plan
    failed = threading.Event()
    url = f"sqlite:///{database}" + (f"?timeout={seconds}" if seconds < 30 else "")
    push = given.push.model_copy(update={"to": given.push.target.model_copy(update={"url": url})})
    with locked(database, failed.is_set) as lock, at(api, 125, lock):
        try:
            error = failed_run(given.model_copy(update={"push": push}))
        finally:
            failed.set()
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE _astrio_lease SET expires_at = '2000-01-01'")
    assert error.kind == "destination"
    assert "is locked by another process" in error.message
    assert "run again" in error.advice
    kept = stored(database)
    assert kept == rows_of(RECORDS[: len(kept)])
    whole(run(given, wait=True))
    assert stored(database) == rows_of(RECORDS)


@pytest.mark.slow
def test_a_run_waits_for_thirty_seconds_of_a_lock(
    plan: tuple[Faulty, Integration, Path],
) -> None:
    api, given, database = plan
    begun = time.monotonic()
    with locked(database, lambda: time.monotonic() - begun > 28) as lock, at(api, 125, lock):
        begun = time.monotonic()
        report = run(given)
    whole(report)
    assert stored(database) == rows_of(RECORDS)


@pytest.fixture(scope="module")
def shaky() -> Iterator[PostgresServer]:
    """A server that may be stopped."""
    try:
        with postgres_server({"fsync": "off"}) as server:
            yield server
    except CannotStartError as error:
        pytest.skip(f"no PostgreSQL server: {error}")


def lapse(url: str) -> None:
    """End the lease of a run that could not give it back, as half a minute would."""
    driver = url.replace("postgresql://", "postgresql+psycopg://")
    with create_engine(driver, poolclass=NullPool).begin() as connection:
        connection.execute(text("UPDATE _astrio_lease SET expires_at = '2000-01-01'"))


def ids(url: str) -> list[int]:
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool
    )
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT id FROM items ORDER BY id")).scalars())


@pytest.mark.parametrize(
    ("how", "mode"),
    [
        ("immediate", "upsert"),
        ("fast", "append"),
        ("fast", "replace"),
        pytest.param("immediate", "append", marks=pytest.mark.slow),
        pytest.param("immediate", "replace", marks=pytest.mark.slow),
    ],
)
def test_a_postgresql_that_is_stopped_in_the_middle_fails_the_run_and_the_next_one_completes(
    shaky: PostgresServer, how: str, mode: str
) -> None:
    url = shaky.create_database()
    with Faulty(RECORDS, size=25).serving() as api:
        push = {"to": {"url": url}, "table": "items", "mode": mode, "key": ["id"]}
        given = integration(api.server.url, Path("unused.db"), push=push)
        with at(api, 175, lambda: shaky.stop(how)):
            error = failed_run(given)
        refused = failed_run(given)
        shaky.restart()
        lapse(url)
        report = run(given)
    assert error.kind == refused.kind == "destination"
    assert "nothing that was committed is lost" in f"{error.advice} {refused.advice}"
    whole(report)
    assert ids(url) == [each["id"] for each in RECORDS]


def test_a_table_of_other_columns_is_told_before_anything_is_written_and_the_next_run_completes(
    plan: tuple[Faulty, Integration, Path],
) -> None:
    _, given, database = plan
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE items (id INT PRIMARY KEY, shop TEXT NOT NULL)")
    error = failed_run(given)
    assert "columns that must not be empty, and no field fills them: shop" in error.message
    assert stored_nothing(database)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DROP TABLE items")
    whole(run(given))
    assert stored(database) == rows_of(RECORDS)


def stored_nothing(database: Path) -> bool:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT count(*) FROM items").fetchone() == (0,)


@pytest.mark.parametrize("what", ["file", "url"])
def test_a_read_only_database_is_told_and_the_next_run_completes(
    plan: tuple[Faulty, Integration, Path], what: str
) -> None:
    _, given, database = plan
    run(given)
    if what == "file":
        database.chmod(0o444)
    url = f"sqlite:///file:{database}?mode=ro&uri=true"
    push = given.push.model_copy(update={"to": given.push.target.model_copy(update={"url": url})})
    error = failed_run(given.model_copy(update={"push": push}))
    assert error.kind == "destination"
    assert "cannot be written" in error.message
    database.chmod(0o644)
    report = run(given)
    assert report.records.fetched == report.records.unchanged == len(RECORDS)
