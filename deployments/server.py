"""Which Prefect server a run uses, and the temporary one when there is none.

The rule (contract.md, *State*): `PREFECT_API_URL` or the active profile; else the server noted in
`ASTRIO_HOME`, if it is healthy; else a temporary one, kept only while runs use it. A configured
server that does not answer is an error, never a silent fallback.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import httpx

from astrio.blocks.errors import RetryableError
from astrio.blocks.redaction import redact
from astrio.tasks.ledger.home import make_astrio_home

START_SECONDS = 180.0


class ServerUnavailableError(RetryableError):
    """The Prefect server does not answer."""

    kind = "server"


def is_healthy(api_url: str) -> bool:
    """Tell whether a Prefect API on this machine answers under `api_url`."""
    try:
        answer = httpx.get(f"{api_url.rstrip('/')}/health", timeout=5, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.is_success


@contextmanager
def prefect_server(notify: Callable[[str], None]) -> Iterator[str]:
    """Make a Prefect server available within the block and yield its API URL.

    Args:
        notify: shows a sentence to the user, such as that a temporary server is starting.

    Raises:
        ServerUnavailableError: the configured server does not answer, or none could be started.
    """
    from prefect.settings import get_current_settings

    configured = get_current_settings().api.url
    if configured is not None:
        _require(configured)
        yield configured
        return
    with _shared_server(notify) as url, _using(url):
        yield url


def _require(url: str) -> None:
    """Ask the configured server with Prefect's own client: its credentials, proxy and TLS."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        failure = client.api_healthcheck()
    if failure is not None:
        why = f"{type(failure).__name__}: {failure}".partition("\n")[0]
        raise ServerUnavailableError(
            f"The configured Prefect server at {redact(url)} does not answer ({redact(why)}).",
            advice="Start it, or correct PREFECT_API_URL or the active Prefect profile; "
            "unset both to let astrio start a temporary server.",
        )


@contextmanager
def _using(url: str) -> Iterator[None]:
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: url}):
        try:
            yield
        finally:  # what is recorded in the background must arrive before the server stops
            for worker in (EventsWorker, APILogWorker):
                worker.drain_all(at_exit=False)


@contextmanager
def _shared_server(notify: Callable[[str], None]) -> Iterator[str]:
    """Yield the noted server if it is healthy, else start a temporary one.

    Several runs share a temporary server: each holds a shared lock while it uses it, and whoever
    leaves last (and so gets the lock for itself) stops it.
    """
    home = make_astrio_home()
    with ExitStack() as stack:
        users = stack.enter_context((home / "server.users").open("a"))
        starting = stack.enter_context((home / "server.starting").open("a"))
        fcntl.flock(starting, fcntl.LOCK_EX)
        note = _read_note(home)
        if note is None or not is_healthy(note["url"]):
            note = _start(home, notify)
        fcntl.flock(users, fcntl.LOCK_SH)
        fcntl.flock(starting, fcntl.LOCK_UN)
        try:
            yield str(note["url"])
        finally:
            _leave(home, users, starting)


def _leave(home: Path, users: IO[str], starting: IO[str]) -> None:
    fcntl.flock(starting, fcntl.LOCK_EX)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # another run still uses it
    note = _read_note(home)
    if note is not None and note.get("temporary"):
        _stop(int(note["pid"]))
        _note_path(home).unlink(missing_ok=True)


def _note_path(home: Path) -> Path:
    return home / "server.json"


def _read_note(home: Path) -> dict[str, Any] | None:
    try:
        note = json.loads(_note_path(home).read_text())
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) and {"url", "pid"} <= note.keys() else None


def _start(home: Path, notify: Callable[[str], None]) -> dict[str, Any]:
    port = _free_port()
    url = f"http://127.0.0.1:{port}/api"
    notify("No Prefect server is configured: starting a temporary one (5 to 40 seconds).")
    with (home / "server.log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603 (our own interpreter, no shell)
            [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=_server_environment(home, url),
        )
    note = {"url": url, "pid": process.pid, "temporary": True}
    _note_path(home).write_text(json.dumps(note))
    began = time.monotonic()
    try:
        _await_health(process, url, home)
    except BaseException:  # Ctrl-C too: it must not come up with nobody left to stop it
        _stop(process.pid)
        raise
    notify(
        f"The temporary Prefect server is ready after {time.monotonic() - began:.0f} s. "
        "Keep a server running (`prefect server start`, and PREFECT_API_URL set) and runs "
        "start in seconds."
    )
    return note


def _await_health(process: subprocess.Popen[bytes], url: str, home: Path) -> None:
    ends = time.monotonic() + START_SECONDS
    while not is_healthy(url):
        if process.poll() is not None or time.monotonic() > ends:
            raise ServerUnavailableError(
                "A temporary Prefect server could not be started.",
                advice=f"Its log is {home / 'server.log'}.",
            )
        time.sleep(0.1)


def _server_environment(home: Path, url: str) -> dict[str, str]:
    return os.environ | {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_UI_API_URL": url,
        "PREFECT_API_URL": url,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _stop(pid: int) -> None:
    """Stop the server's process group: politely, then for good."""
    if not _leads_a_group(pid):
        return  # a note may be old or damaged, and killpg(1) would mean every process there is
    for sign, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 1.0)):
        try:
            os.killpg(pid, sign)
        except (ProcessLookupError, PermissionError):
            return
        ends = time.monotonic() + patience
        while time.monotonic() < ends and _alive(pid):
            time.sleep(0.05)


def _leads_a_group(pid: int) -> bool:
    try:
        return pid > 1 and os.getpgid(pid) == pid
    except OSError:
        return False


def _alive(pid: int) -> bool:
    try:
        finished, _ = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:  # another process started it
        return _exists(pid)
    return finished == 0


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
