"""`astrio up` and `down`, in processes of their own and with a real Prefect server."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.flows.api import cursor_api, record
from tests.support.command import Ended, astrio, begin, eventually
from tests.support.server import serve, unused_url

FILE = """\
name: {name}
source:
  api: {{base_url: "{url}"}}
  request: {{path: /items}}
  records: $.items
  paginate: {{type: cursor, param: cursor, next: $.next}}
push: {{to: {{url: "sqlite:///{name}.db"}}, table: items, mode: upsert, key: [id]}}
"""
ALONE: dict[str, str | None] = {"PREFECT_API_URL": None, "PREFECT_HOME": None}


@dataclass
class Up:
    """A running `astrio up`; `lines` grows as it tells things."""

    process: subprocess.Popen[str]
    folder: Path
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read along."""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip())

    def tells(self, words: str, patience: float = 60) -> bool:
        """Wait for a line that holds these words."""
        return eventually(lambda: any(words in line for line in list(self.lines)), patience)

    @property
    def url(self) -> str:
        """Where the UI is."""
        [line] = [line for line in self.lines if "The UI is at" in line]
        return line.split()[4]

    def environment(self) -> dict[str, str | None]:
        return {"PREFECT_HOME": str(self.folder / "prefect-home"), "PREFECT_API_URL": None}


def start(folder: Path, *words: str) -> Up:
    environment = ALONE | {"PREFECT_HOME": str(folder / "prefect-home")}
    return Up(begin("up", *words, folder=folder, environment=environment), folder)


def rows(folder: Path, name: str) -> int:
    try:
        with closing(sqlite3.connect(folder / f"{name}.db")) as connection:
            return int(connection.execute("SELECT count(*) FROM items").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


@pytest.fixture
def api() -> Iterator[str]:
    with cursor_api([record(number) for number in range(30)]) as server:
        yield server.url


@pytest.fixture
def up(tmp_path: Path, api: str) -> Iterator[Up]:
    """`astrio up` in an empty home, with one integration that runs every five seconds."""
    (tmp_path / "often.yaml").write_text(
        FILE.format(name="often", url=api) + "schedule: {every: 5s}\n"
    )
    running = start(tmp_path)
    try:
        assert running.tells("The UI is at", 120), running.lines
        yield running
    finally:
        astrio("down", folder=tmp_path, environment=running.environment())
        running.process.kill()


def get(up: Up, path: str, **body: Any) -> Any:
    answer = httpx.post(f"{up.url}/api{path}", json=body, timeout=30, trust_env=False)
    answer.raise_for_status()
    return answer.json()


def alive(folder: Path) -> list[str]:
    """Return the commands of the processes that belong to this home."""
    return [command for _, command in processes(folder)]


def processes(folder: Path) -> list[tuple[int, str]]:
    """Return the processes that belong to this home."""
    mark = f"ASTRIO_HOME={folder / 'astrio-home'}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                found.append((int(process.name), command))
        except OSError:
            continue
    return [each for each in found if each[1]]


def test_it_runs_what_is_scheduled_takes_up_changes_and_stops_what_it_started(
    up: Up, tmp_path: Path, api: str
) -> None:
    assert up.tells("often: Completed: 30 fetched"), up.lines
    assert rows(tmp_path, "often") == 30
    assert up.tells("has no authentication"), up.lines
    assert httpx.get(up.url, trust_env=False).status_code == 200
    settings = httpx.get(f"{up.url}/ui-settings", trust_env=False).json()
    assert settings["api_url"] == f"{up.url}/api"
    types = {each["slug"] for each in get(up, "/block_types/filter")}
    assert {"astrio-rest-api", "astrio-database", "astrio-bearer"} <= types

    again = astrio("up", folder=tmp_path, environment=up.environment())
    assert (again.code, "runs already" in again.err) == (1, True)

    (tmp_path / "integrations").mkdir()
    file = tmp_path / "integrations" / "later.yaml"
    file.write_text(FILE.format(name="later", url=api) + "tgs: [a]\n")
    assert up.tells("later.yaml:8:1: unknown key `tgs`"), up.lines
    file.write_text(FILE.format(name="later", url=api) + "schedule: {every: 5s}\n")
    assert up.tells("later: deployment created"), up.lines
    assert up.tells("later: Completed: 30 fetched"), up.lines
    file.unlink()
    assert up.tells("later: its integration is gone"), up.lines

    ended = astrio("down", folder=tmp_path, environment=up.environment())
    assert (ended.code, ended.err) == (0, "Stopped.\n")
    assert up.process.wait(10) == 0
    assert alive(tmp_path) == []
    assert "Nothing of `astrio up` runs" in astrio("down", folder=tmp_path).err


@pytest.mark.slow
def test_ctrl_c_stops_it_and_what_is_left_of_a_killed_one_is_taken_over(
    up: Up, tmp_path: Path
) -> None:
    url = up.url
    up.process.send_signal(signal.SIGKILL)
    up.process.wait()
    second = start(tmp_path)
    assert second.tells("The UI is at"), second.lines
    assert second.tells("Taking over the server"), second.lines
    assert second.url == url
    assert second.tells("often: Completed"), second.lines
    second.process.send_signal(signal.SIGINT)
    assert second.process.wait(60) == 130
    assert second.tells("Stopped."), second.lines
    assert alive(tmp_path) == []


@pytest.mark.slow
def test_down_stops_what_a_killed_one_has_left(up: Up, tmp_path: Path) -> None:
    up.process.send_signal(signal.SIGKILL)
    up.process.wait()
    assert alive(tmp_path)
    ended = astrio("down", folder=tmp_path, environment=up.environment())
    assert (ended.code, ended.err) == (0, "Stopped.\n")
    assert alive(tmp_path) == []


def test_a_server_that_dies_ends_it_with_advice(up: Up, tmp_path: Path) -> None:
    import json

    note = json.loads((tmp_path / "astrio-home" / "server.json").read_text())
    os.killpg(note["pid"], signal.SIGKILL)
    assert up.process.wait(60) == 1
    assert up.tells("has ended"), up.lines
    assert any("server.log" in line for line in up.lines)


@pytest.mark.slow
def test_a_server_with_authentication_lets_in_whoever_knows_it(tmp_path: Path, api: str) -> None:
    (tmp_path / "often.yaml").write_text(
        FILE.format(name="often", url=api) + "schedule: {every: 5s}\n"
    )
    words = "ann:s3cret-words"
    environment = ALONE | {"PREFECT_SERVER_API_AUTH_STRING": words}
    up = Up(begin("up", folder=tmp_path, environment=environment), tmp_path)
    try:
        assert up.tells("often: Completed", 120), up.lines
        assert not any("no authentication" in line for line in up.lines)
        assert httpx.get(f"{up.url}/api/flows/count", trust_env=False).status_code in (401, 405)
        stranger = astrio("run", "often.yaml", "--json", folder=tmp_path, environment=ALONE)
        assert (stranger.code, stranger.json()["error"]["kind"]) == (1, "credentials")
        assert "PREFECT_API_AUTH_STRING" in stranger.json()["error"]["advice"]
        known = ALONE | {"PREFECT_API_AUTH_STRING": words}
        ended = astrio("run", "often.yaml", "--wait", folder=tmp_path, environment=known)
        assert ended.code == 0, ended.err
        assert f"{up.url}/runs/flow-run/" in ended.out
        assert "s3cret-words" not in "\n".join(up.lines)
    finally:
        astrio("down", folder=tmp_path, environment=up.environment())
        up.process.kill()


def test_a_configured_server_is_used_and_left_as_it_is(
    tmp_path: Path, api: str, prefect_api: str
) -> None:
    (tmp_path / "guest.yaml").write_text(
        FILE.format(name="guest", url=api) + "schedule: {every: 5s}\n"
    )
    environment = {"PREFECT_API_URL": prefect_api}
    up = Up(begin("up", "--port", "4999", folder=tmp_path, environment=environment), tmp_path)
    try:
        assert up.tells("--port has no effect", 120), up.lines
        assert up.tells("has no authentication"), up.lines
        assert up.tells("guest: Completed: 30 fetched"), up.lines
        assert up.url == prefect_api.removesuffix("/api")
        (tmp_path / "guest.yaml").unlink()
        assert up.tells("guest: its integration is gone"), up.lines
    finally:
        ended = astrio("down", folder=tmp_path, environment=environment)
        up.process.kill()
    assert (ended.code, ended.err) == (0, "Stopped.\n")
    assert httpx.get(f"{prefect_api}/health", trust_env=False).status_code == 200
    assert not (tmp_path / "astrio-home" / "server.json").exists()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_whose_process_was_killed_is_marked_as_crashed_and_the_next_one_goes_on(
    tmp_path: Path,
) -> None:
    import time

    def slow(request: Any) -> Any:
        time.sleep(0.2)
        start = int(request.query.get("cursor", "0"))
        items = [record(number) for number in range(start, start + 10)]
        return {"items": items, "next": start + 10 if start < 400 else None}

    with serve({"/items": slow}) as server:
        (tmp_path / "slow.yaml").write_text(FILE.format(name="slow", url=server.url))
        up = start(tmp_path)
        try:
            assert up.tells("The UI is at", 120), up.lines
            [deployment] = get(up, "/deployments/filter")
            get(up, f"/deployments/{deployment['id']}/create_flow_run", state={"type": "SCHEDULED"})
            assert eventually(lambda: rows(tmp_path, "slow") > 0, 60)
            up.process.kill()  # nobody is left to see the run's process end
            for pid, command in processes(tmp_path):
                if "server" not in command:
                    os.kill(pid, signal.SIGKILL)

            def state() -> str:
                [run] = get(up, "/flow_runs/filter", sort="START_TIME_DESC", limit=1)
                return str(run["state"]["type"])

            assert state() == "RUNNING"
            assert eventually(lambda: state() == "CRASHED", 240)
            second = start(tmp_path)
            assert second.tells("The UI is at"), second.lines
            get(up, f"/deployments/{deployment['id']}/create_flow_run", state={"type": "SCHEDULED"})
            assert second.tells("slow: Completed: 410 fetched", 120), second.lines
            assert rows(tmp_path, "slow") == 410
        finally:
            astrio("down", folder=tmp_path, environment=up.environment())
            up.process.kill()


def refused(folder: Path, *words: str, **environment: str | None) -> Ended:
    return astrio("up", *words, folder=folder, environment=ALONE | environment)


def test_files_that_are_all_wrong_are_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(
        FILE.format(name="shop", url="https://x.example.com").replace(
            'x.example.com"}', 'x.example.com", auth: {type: bearer, token: s3cret-literal}}'
        )
    )
    ended = refused(tmp_path)
    assert (ended.code, "shop.yaml:3:" in ended.err) == (2, True)
    assert "a secret is written out" in ended.err
    assert "s3cret-literal" not in ended.err
    assert not (tmp_path / "astrio-home").exists()


def test_no_such_folder_is_told(tmp_path: Path) -> None:
    ended = refused(tmp_path, "nowhere")
    assert (ended.code, "There is no folder nowhere" in ended.err) == (2, True)


def test_a_configured_server_that_is_down_is_told_with_its_address(tmp_path: Path) -> None:
    url = unused_url()
    ended = refused(tmp_path, PREFECT_API_URL=url)
    assert (ended.code, url in ended.err) == (1, True)
