"""The server that `astrio up` uses: the configured one, or its own."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from astrio.deployments.cli.output import waiting
from astrio.deployments.server import (
    configured_server,
    noted_server,
    starting_lock,
    users_lock,
    using,
)
from astrio.deployments.server_process import ServerNote, await_health, launch
from astrio.deployments.serving.ports import choose_port

LEAVING_SECONDS = 30.0


@contextmanager
def server_to_serve(
    home: Path, port: int | None, host: str, notify: Callable[[str], None]
) -> Iterator[ServerNote | None]:
    """Make a Prefect server available; yields the note of the one to look after.

    A server that is configured is used and neither started nor stopped: None is yielded.

    Raises:
        ServerUnavailableError: it does not answer, or none could be started.
    """
    if (configured := configured_server()) is not None:
        if port is not None:
            notify(f"The configured server {configured} is used, so --port has no effect.")
        yield None
        return
    note = _own_server(home, port, host, notify)
    try:
        with using(note.url):
            yield note
    finally:
        stop_server(home, note, notify)


def _own_server(
    home: Path, port: int | None, host: str, notify: Callable[[str], None]
) -> ServerNote:
    with _unused(home, notify, only_temporary=True):
        left = noted_server(home)
        if left is not None and left.temporary:
            left.stop()
        elif left is not None and left.runs:
            if port is None or f":{port}/" in left.url:
                notify(f"Taking over the server that an earlier `astrio up` left: {left.url}")
                return left
            left.stop()
        chosen = choose_port(host, port)
        notify(f"Starting a Prefect server on port {chosen} (5 to 40 seconds).")
        with waiting("Waiting for the Prefect server …"):
            note = launch(home, port=chosen, host=host, temporary=False)
            seconds = await_health(note, home)
        notify(f"The Prefect server is ready after {seconds:.0f} s.")
        return note


def stop_server(home: Path, note: ServerNote, notify: Callable[[str], None]) -> None:
    """Stop a server that `astrio up` started; runs that use it get a while to end."""
    with _unused(home, notify, patience=LEAVING_SECONDS):
        if ServerNote.read(home) == note:
            ServerNote.forget(home)
        note.stop()


@contextmanager
def _unused(
    home: Path,
    notify: Callable[[str], None],
    *,
    only_temporary: bool = False,
    patience: float = float("inf"),
) -> Iterator[None]:
    """Wait until no run uses the noted server, and let none begin to within the block.

    Two servers on one database would get into each other's way.
    """
    ends, told = time.monotonic() + patience, False
    with starting_lock(home) as starting, users_lock(home) as users:
        while True:
            fcntl.flock(starting, fcntl.LOCK_EX)
            note = ServerNote.read(home)
            if note is None or (only_temporary and not note.temporary):
                break
            if _locked(users) or time.monotonic() > ends:
                break
            fcntl.flock(starting, fcntl.LOCK_UN)  # the runs need it to leave
            if not told:
                notify("Waiting for a run that uses the server of this ASTRIO_HOME …")
            told = True
            time.sleep(0.2)
        yield


def _locked(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
