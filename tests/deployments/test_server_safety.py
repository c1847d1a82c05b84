"""Keys and open doors: how a server of ours keeps its key, and what is said of another's."""

from __future__ import annotations

import json
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from tests.support.server import answer, serve, unused_url

from astrio.deployments.encryption import encryption_key
from astrio.deployments.server_safety import is_loopback, open_api, server_warnings


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    key = encryption_key(tmp_path, {})
    assert key is not None
    Fernet(key)
    assert encryption_key(tmp_path, {}) == key
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize(
    "name", ["PREFECT_SERVER_ENCRYPTION_KEY", "PREFECT_SERVER_DATABASE_CONNECTION_URL"]
)
def test_a_server_that_the_user_has_set_up_gets_none(tmp_path: Path, name: str) -> None:
    assert encryption_key(tmp_path, {name: "x"}) is None
    assert list(tmp_path.iterdir()) == []


def database(folder: Path, *, key: str | None) -> None:
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "prefect.db")) as connection:
        connection.execute("CREATE TABLE configuration (key TEXT, value TEXT)")
        if key:
            row = ("ENCRYPTION_KEY", json.dumps({"fernet_key": key}))
            connection.execute("INSERT INTO configuration VALUES (?, ?)", row)
        connection.commit()


def test_blocks_that_are_encrypted_already_stay_readable(tmp_path: Path) -> None:
    key = Fernet.generate_key().decode()
    database(tmp_path / "prefect", key=key)
    assert encryption_key(tmp_path, {}) == key


def test_a_database_without_a_key_or_tables_gets_a_new_one(tmp_path: Path) -> None:
    database(tmp_path / "one" / "prefect", key=None)
    (tmp_path / "two" / "prefect").mkdir(parents=True)
    (tmp_path / "two" / "prefect" / "prefect.db").touch()
    assert encryption_key(tmp_path / "one", {}) != encryption_key(tmp_path / "two", {})


def test_of_two_that_begin_at_once_the_first_key_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Fernet.generate_key()
    made = Fernet.generate_key

    def slow() -> bytes:
        (tmp_path / "key").write_bytes(other)
        return made()

    monkeypatch.setattr(Fernet, "generate_key", slow)
    assert encryption_key(tmp_path, {}) == other.decode()


def test_a_key_beside_the_data_is_warned_of(tmp_path: Path) -> None:
    database(tmp_path / "home", key="k")
    environment = {"PREFECT_HOME": str(tmp_path / "home")}
    url = f"{unused_url()}/api"
    [warning] = server_warnings(url, environment)
    assert "PREFECT_SERVER_ENCRYPTION_KEY" in warning
    assert str(tmp_path / "home" / "prefect.db") in warning
    own = environment | {"PREFECT_SERVER_ENCRYPTION_KEY": "x"}
    assert list(server_warnings(url, own)) == []
    assert list(server_warnings("http://prefect.invalid/api", environment)) == []


@pytest.mark.parametrize("made", ["nothing", "no key", "no database"])
def test_what_holds_no_key_is_not_warned_of(tmp_path: Path, made: str) -> None:
    home = tmp_path / "home"
    if made == "no key":
        database(home, key=None)
    if made == "no database":
        home.mkdir()
        (home / "prefect.db").write_text("not a database")
    assert list(server_warnings(unused_url(), {"PREFECT_HOME": str(home)})) == []


def test_an_open_api_is_warned_of(tmp_path: Path) -> None:
    environment = {"PREFECT_HOME": str(tmp_path)}
    with serve({"/api/admin/version": lambda _: answer(b"3.8.8")}) as server:
        assert list(server_warnings(f"{server.url}/api", environment)) == []  # not Prefect's JSON
    with serve({"/api/admin/version": lambda _: ["3.8.8"]}) as server:
        url = f"{server.url}/api"
        assert list(server_warnings(url, environment)) == [open_api(url)]
    assert "PREFECT_SERVER_API_AUTH_STRING" in open_api(url)
    with serve(lambda _: answer({}, 401)) as server:
        assert list(server_warnings(f"{server.url}/api", environment)) == []


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("a.b", False)],
)
def test_what_only_this_machine_reaches(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
