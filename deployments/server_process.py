"""A Prefect server as a process: started, noted in `ASTRIO_HOME`, awaited and stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from astrio.blocks.errors import ServerUnavailableError
from astrio.deployments.encryption import VARIABLE, encryption_key
from astrio.deployments.processes import birth, is_alive, stop_group

START_SECONDS = 180.0
NOTE = "server.json"
OWN_SERVER = "astrio.deployments.own_server"


def is_healthy(api_url: str) -> bool:
    """Tell whether a Prefect API on this machine answers under `api_url`."""
    try:
        answer = httpx.get(f"{api_url.rstrip('/')}/health", timeout=5, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.is_success


@dataclass(frozen=True, slots=True)
class ServerNote:
    """What `ASTRIO_HOME` tells about the server that astrio started.

    Attributes:
        url: its API.
        temporary: kept only while runs use it; else `astrio up` keeps it.
        born: when the process started, see `processes.birth`.
    """

    url: str
    pid: int
    temporary: bool = True
    born: str | None = None

    @classmethod
    def read(cls, home: Path) -> ServerNote | None:
        """Return the note, None if there is none that can be read."""
        try:
            note: Any = json.loads((home / NOTE).read_text("utf-8"))
            return cls(**{name: note[name] for name in cls.__slots__ if name in note})
        except (OSError, ValueError, TypeError):
            return None

    def write(self, home: Path) -> None:
        """Put the note in place, whole."""
        draft = home / f"{NOTE}.{os.getpid()}"
        draft.write_text(json.dumps(asdict(self)), "utf-8")
        draft.replace(home / NOTE)

    @staticmethod
    def forget(home: Path) -> None:
        """Take the note away."""
        (home / NOTE).unlink(missing_ok=True)

    @property
    def runs(self) -> bool:
        """Whether the noted process certainly still runs."""
        return is_alive(self.pid, self.born)

    def stop(self) -> None:
        """Stop the server, if it is certainly the noted one."""
        stop_group(self.pid, self.born)


def launch(home: Path, *, port: int, host: str = "127.0.0.1", temporary: bool) -> ServerNote:
    """Start a server and note it before it answers, so that it can be found whatever happens."""
    reached = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 (compared only)
    url = f"http://{reached}:{port}/api"
    with log_file(home).open("w") as log:
        process = subprocess.Popen(  # noqa: S603 (our own interpreter, no shell)
            [sys.executable, "-m", OWN_SERVER, "server", "start", "--port", str(port)],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=_environment(home, url, host),
        )
    note = ServerNote(url, process.pid, temporary, birth(process.pid))
    note.write(home)
    return note


def log_file(home: Path) -> Path:
    """Return where the server's own log goes."""
    return home / "server.log"


def await_health(note: ServerNote, home: Path) -> float:
    """Wait until the server answers, and return the seconds that took; it is stopped if it fails.

    Raises:
        ServerUnavailableError: it has ended, or takes too long.
    """
    began = time.monotonic()
    try:
        while not is_healthy(note.url):
            _require_patience(note, home, began)
            time.sleep(0.1)
    except BaseException:  # Ctrl-C too: it must not come up with nobody left to stop it
        note.stop()
        ServerNote.forget(home)
        raise
    return time.monotonic() - began


def _require_patience(note: ServerNote, home: Path, began: float) -> None:
    if not note.runs or time.monotonic() > began + START_SECONDS:
        raise ServerUnavailableError(
            "A Prefect server could not be started.", advice=f"Its log is {log_file(home)}."
        )


def _environment(home: Path, url: str, host: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name != "PREFECT_PROFILE"}
    key = encryption_key(home, own)
    return {
        # After a crash, a run's place in the limit of one is given back when its lease ends.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": (
            "prefect.server.concurrency.lease_storage.filesystem"
        ),
        "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "5",
        **own,
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "WARNING",  # what its log is for
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_API_HOST": host,
        "PREFECT_UI_API_URL": url,
        "PREFECT_API_URL": url,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        **({VARIABLE: key} if key else {}),
    }
