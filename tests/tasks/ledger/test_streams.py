"""The ledger's index of streams."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from astrio.blocks.errors import AstrioError
from astrio.tasks.ledger import migrations, outbox_tables
from astrio.tasks.ledger.streams import KnownStream, known_streams, remember_stream
from astrio.tasks.ledger.tables import REVISION, metadata

ORDERS = KnownStream(
    integration="shop-orders",
    destination="/data/shop.db",
    table_name="orders",
    file="/srv/orders.yaml",
    cwd="/work",
    last_run_at="2026-11-23T10:00:00+00:00",
    last_state="completed",
)
ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _own_home(home: Path) -> None:
    """Each test has a home of its own."""


def test_a_remembered_stream_is_known() -> None:
    assert remember_stream(ORDERS) is None
    assert known_streams() == [ORDERS]


def test_a_stream_that_runs_again_keeps_one_entry() -> None:
    remember_stream(ORDERS)
    again = replace(ORDERS, last_state="failed", file=None, cwd="/elsewhere")
    remember_stream(again)
    assert known_streams() == [again]


def test_streams_are_told_apart_by_name_destination_and_table() -> None:
    others = [
        replace(ORDERS, integration="a"),
        replace(ORDERS, destination="/b.db"),
        replace(ORDERS, table_name="c"),
    ]
    for stream in (*others, ORDERS):
        remember_stream(stream)
    assert len(known_streams()) == 4
    assert known_streams()[0].integration == "a"


def test_looking_creates_nothing(home: Path) -> None:
    assert known_streams() == []
    assert not home.exists()


def test_the_home_is_its_owners_alone(home: Path) -> None:
    remember_stream(ORDERS)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert (home / "ledger.db").is_file()


def test_the_home_is_in_the_users_own_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASTRIO_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    remember_stream(ORDERS)
    assert (tmp_path / ".astrio" / "ledger.db").is_file()


def test_the_ledger_may_be_elsewhere(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASTRIO_LEDGER_URL", f"sqlite:///{tmp_path}/own.db")
    remember_stream(ORDERS)
    assert known_streams() == [ORDERS]
    assert not home.exists()


def test_a_ledger_in_the_applications_own_database_leaves_its_tables_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('the app')")
        connection.commit()
    monkeypatch.setenv("ASTRIO_LEDGER_URL", f"sqlite:///{tmp_path}/app.db")
    assert remember_stream(ORDERS) is None
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
        assert connection.execute("SELECT * FROM alembic_version").fetchall() == [("the app",)]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense s3cret", "ASTRIO_LEDGER_URL is no database URL"),
        ("oracle://me:s3cret@host/db", "no way to write to oracle"),
        ("sqlite:////no/such/folder/x.db", "does not exist"),
    ],
)
def test_a_ledger_that_cannot_be_written_is_a_warning(
    url: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASTRIO_LEDGER_URL", url)
    warning = remember_stream(ORDERS)
    assert warning is not None
    assert told in warning
    assert "s3cret" not in warning


def test_a_home_that_cannot_be_made_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ASTRIO_HOME", str(tmp_path / "file" / "home"))
    assert "could not be written" in str(remember_stream(ORDERS))


def test_a_ledger_that_is_no_database_is_told(home: Path) -> None:
    home.mkdir()
    (home / "ledger.db").write_text("no database " * 100)
    assert "not a SQLite database" in str(remember_stream(ORDERS))
    with pytest.raises(AstrioError, match="not a SQLite database"):
        known_streams()


def test_a_newer_ledger_is_left_alone(home: Path) -> None:
    remember_stream(ORDERS)
    with closing(sqlite3.connect(home / "ledger.db")) as connection:
        connection.execute("UPDATE _astrio_ledger_version SET version_num = '9999'")
        connection.commit()
    assert "newer astrio" in str(remember_stream(ORDERS))


def test_a_ledger_without_tables_is_migrated_when_it_is_looked_at(home: Path) -> None:
    home.mkdir()
    sqlite3.connect(home / "ledger.db").execute("PRAGMA user_version = 1").connection.close()
    assert known_streams() == []


def test_the_migrations_lead_to_the_tables_as_they_are_declared(home: Path) -> None:
    remember_stream(ORDERS)
    engine = create_engine(f"sqlite:///{home}/ledger.db")
    inspector = inspect(engine)
    assert outbox_tables.event.metadata is metadata
    for table in metadata.tables.values():
        migrated = {
            (column["name"], str(column["type"]), column["nullable"])
            for column in inspector.get_columns(table.name)
        }
        declared = {
            (each.name, each.type.compile(engine.dialect), each.nullable) for each in table.columns
        }
        assert migrated == declared
        key = inspector.get_pk_constraint(table.name)["constrained_columns"]
        assert key == [column.name for column in table.primary_key]


def test_the_latest_revision_is_the_one_that_is_asked_for() -> None:
    config = Config()
    config.set_main_option("script_location", migrations.__path__[0].replace("%", "%%"))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_alembic_is_imported_only_when_there_is_something_to_migrate() -> None:
    remember_stream(ORDERS)
    code = (
        "import sys; from astrio.tasks.ledger.streams import known_streams;"
        "print(len(known_streams()), 'alembic' in sys.modules)"
    )
    assert child(code).communicate()[0] == "1 False\n"


def test_several_processes_may_start_at_once() -> None:
    code = (
        "import sys; from dataclasses import replace;"
        "from astrio.tasks.ledger.streams import KnownStream, remember_stream;"
        "sys.stdin.readline();"
        "print(remember_stream(KnownStream(sys.argv[1], '/b', 'c', None, '/', '', '')))"
    )
    children = [child(code, f"stream-{number}") for number in range(3)]
    for process in children:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate()[0] for process in children] == ["None\n"] * 3
    assert len(known_streams()) == 3


def child(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / ".links")},
    )
