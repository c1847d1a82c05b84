"""Which Prefect server a run uses; a stand-in takes Prefect's place where none need really run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.flows.api import cursor_api, integration, record
from tests.support.command import begin, ended, eventually
from tests.support.server import answer, serve, unused_url

from astrio.blocks.errors import ServerUnavailableError
from astrio.deployments.processes import birth
from astrio.deployments.server import prefect_server
from astrio.deployments.server_process import is_healthy

STAND_IN = f"""#!{sys.executable}
# Answers as the health check of a Prefect server; started as `python -m MODULE server start`.
import http.server, os, sys, threading

class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"true")

threading.Timer(60, os._exit, [1]).start()  # outlives no test for long
with open(os.environ["PREFECT_HOME"] + ".starts", "a") as starts:
    starts.write(" ".join(sys.argv[1:]) + "\\n")
port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.ThreadingHTTPServer(("127.0.0.1", port), Healthy).serve_forever()
"""


SLEEPER = "#!/bin/sh\necho $$ > {}/pid; exec sleep 60\n"


@pytest.fixture
def stand_in(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A stand-in for Prefect; yields the home folder."""
    script = tmp_path / "python"
    script.write_text(STAND_IN)
    script.chmod(0o755)
    monkeypatch.setattr("astrio.deployments.server_process.sys.executable", str(script))
    with unconfigured():
        yield home


@contextmanager
def unconfigured() -> Iterator[None]:
    """Take the session's server out of Prefect's settings."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        yield


@contextmanager
def configured(url: str, auth: str | None = None) -> Iterator[None]:
    from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: auth}):
        yield


def note(home: Path) -> dict[str, Any]:
    value = json.loads((home / "server.json").read_text())
    assert isinstance(value, dict)
    return value


def write_note(home: Path, url: str, pid: int, *, temporary: bool = True) -> None:
    home.mkdir(exist_ok=True)
    text = json.dumps({"url": url, "pid": pid, "temporary": temporary, "born": birth(pid)})
    (home / "server.json").write_text(text)


def starts(home: Path) -> int:
    record = home / "prefect.starts"
    return len(record.read_text().splitlines()) if record.exists() else 0


def ended_pid() -> int:
    """Return the pid of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def silently(sentence: str) -> None:
    pass


def test_a_temporary_server_runs_within_the_block_and_no_longer(stand_in: Path) -> None:
    told: list[str] = []
    with prefect_server(told.append) as url:
        assert is_healthy(url)
        assert note(stand_in)["url"] == url
    assert not is_healthy(url)
    assert not (stand_in / "server.json").exists()
    assert "starting a temporary one" in told[0]
    assert "PREFECT_API_URL" in told[1]


def test_flows_within_the_block_use_the_temporary_server(stand_in: Path) -> None:
    from prefect.settings import PREFECT_API_URL

    with prefect_server(silently) as url:
        assert PREFECT_API_URL.value() == url
    assert PREFECT_API_URL.value() is None


def test_two_users_share_one_server_and_the_last_one_stops_it(stand_in: Path) -> None:
    leave = {"one": threading.Event(), "other": threading.Event()}
    urls: dict[str, str] = {}

    def use(name: str) -> None:
        with unconfigured(), prefect_server(silently) as url:
            urls[name] = url
            assert leave[name].wait(30)

    with ThreadPoolExecutor() as pool:
        one, other = pool.submit(use, "one"), pool.submit(use, "other")
        assert eventually(lambda: len(urls) == 2)
        leave["one"].set()
        one.result(30)
        healthy_between = is_healthy(urls["other"])
        leave["other"].set()
        other.result(30)
    assert urls["one"] == urls["other"]
    assert healthy_between
    assert not is_healthy(urls["other"])
    assert starts(stand_in) == 1


def test_a_noted_server_that_answers_is_used_and_left_running(stand_in: Path) -> None:
    with serve({"/api/health": lambda _: answer(b"true")}) as running:
        write_note(stand_in, f"{running.url}/api", ended_pid(), temporary=False)
        with prefect_server(silently) as url:
            assert url == f"{running.url}/api"
        assert is_healthy(url)
        assert note(stand_in)["url"] == url
    assert starts(stand_in) == 0


def test_a_note_of_a_server_that_is_gone_is_replaced(stand_in: Path) -> None:
    gone = ended_pid()
    write_note(stand_in, f"{unused_url()}/api", gone)
    with prefect_server(silently) as url:
        assert is_healthy(url)
        assert note(stand_in)["pid"] != gone
    assert starts(stand_in) == 1


@pytest.mark.parametrize("pid", [-1, 0, 1])
def test_a_damaged_note_stops_no_process(
    stand_in: Path, monkeypatch: pytest.MonkeyPatch, pid: int
) -> None:
    signalled: list[int] = []
    monkeypatch.setattr("os.killpg", lambda group, _: signalled.append(group))
    with serve({"/api/health": lambda _: answer(b"true")}) as running:
        write_note(stand_in, f"{running.url}/api", pid)
        with prefect_server(silently):
            pass
    assert signalled == []


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_note_that_cannot_be_read_is_replaced(stand_in: Path, text: str) -> None:
    stand_in.mkdir(exist_ok=True)
    (stand_in / "server.json").write_text(text)
    with prefect_server(silently) as url:
        assert is_healthy(url)


def test_an_orphan_of_a_killed_run_is_used_again_and_then_stopped(
    stand_in: Path, tmp_path: Path
) -> None:
    port = unused_url().rpartition(":")[2]
    stand_in.mkdir(exist_ok=True)
    orphan = subprocess.Popen(
        [str(tmp_path / "python"), "-m", "prefect", "server", "start", "--port", port],
        env=os.environ | {"PREFECT_HOME": str(stand_in / "prefect")},
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}/api"
    assert eventually(lambda: is_healthy(address))
    write_note(stand_in, address, orphan.pid)
    with prefect_server(silently) as url:
        assert url == address
    orphan.wait(10)
    assert not is_healthy(address)
    assert starts(stand_in) == 1


def test_a_server_that_ends_at_once_is_an_error_that_names_its_log(
    stand_in: Path, tmp_path: Path
) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\necho no room; exit 3\n")
    with (
        pytest.raises(ServerUnavailableError, match="could not be started") as failure,
        prefect_server(silently),
    ):
        pass
    assert str(stand_in / "server.log") in failure.value.advice
    assert (stand_in / "server.log").read_text() == "no room\n"


def test_a_server_that_is_not_ready_in_time_is_stopped(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("astrio.deployments.server_process.START_SECONDS", 0.2)
    (tmp_path / "python").write_text(SLEEPER.format(tmp_path))
    with pytest.raises(ServerUnavailableError), prefect_server(silently):
        pass
    assert is_gone(sleeper(tmp_path))


def test_ctrl_c_while_the_server_starts_stops_it(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: str) -> bool:
        assert eventually(lambda: (tmp_path / "pid").exists() and sleeper(tmp_path) > 0)
        raise KeyboardInterrupt

    monkeypatch.setattr("astrio.deployments.server_process.is_healthy", interrupt)
    (tmp_path / "python").write_text(SLEEPER.format(tmp_path))
    with pytest.raises(KeyboardInterrupt), prefect_server(silently):
        pass
    assert is_gone(sleeper(tmp_path))


def sleeper(folder: Path) -> int:
    return int((folder / "pid").read_text() or 0)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_configured_server_is_used_as_it_is(home: Path) -> None:
    with (
        serve({"/api/health": lambda _: answer(b"true")}) as server,
        configured(f"{server.url}/api"),
        prefect_server(silently) as url,
    ):
        assert url == f"{server.url}/api"
    assert not home.exists()


def refuse(_: web.Request) -> Any:
    return answer({"detail": "Unauthorized"}, 401)


@pytest.mark.parametrize("handler", [None, refuse], ids=["closed", "refusing"])
def test_a_configured_server_that_does_not_answer_is_an_error_with_its_address(
    home: Path, handler: Callable[[web.Request], Any] | None
) -> None:
    with serve(handler or refuse) as server:
        address = f"{server.url if handler else unused_url()}/api"
        with (
            configured(address),
            pytest.raises(ServerUnavailableError) as failure,
            prefect_server(silently),
        ):
            pass
    assert address in failure.value.message
    assert "PREFECT_API_URL" in failure.value.advice
    assert not home.exists()


def test_a_servers_own_credentials_are_sent_to_it(home: Path) -> None:
    def health(request: web.Request) -> Any:
        return answer(b"true") if "Authorization" in request.headers else refuse(request)

    with (
        serve({"/api/health": health}) as server,
        configured(f"{server.url}/api", auth="admin:pass"),
        prefect_server(silently) as url,
    ):
        assert url.startswith(server.url)


def test_two_first_runs_at_once_share_a_real_temporary_server_and_leave_none(
    tmp_path: Path,
) -> None:
    alone = {"PREFECT_API_URL": None, "PREFECT_HOME": str(tmp_path / "prefect-profile")}
    with cursor_api([record(number) for number in range(5)]) as server:
        runs = []
        for name in ("one", "other"):
            plan = integration(server.url, tmp_path / f"{name}.db", name=name)
            file = tmp_path / f"{name}.json"
            file.write_text(plan.model_dump_json(by_alias=True, exclude_none=True))
            words = ("run", str(file), "--json")
            runs.append(begin(*words, folder=tmp_path, environment=alone))
        done = [ended(run) for run in runs]
    assert [run.code for run in done] == [0, 0], done
    assert [run.json()["records"]["written"] for run in done] == [5, 5]
    assert sum("starting a temporary one" in run.err for run in done) == 1
    assert not (tmp_path / "astrio-home" / "server.json").exists()
