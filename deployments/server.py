"""Which Prefect server a run uses, and the temporary one when there is none.

The rule (contract.md, *State*): `PREFECT_API_URL` or the active profile; else the server noted in
`ASTRIO_HOME`, if it is healthy; else a temporary one, kept only while runs use it. A configured
server that does not answer is an error, never a silent fallback.
"""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from astrio.blocks.errors import ServerUnavailableError
from astrio.blocks.redaction import redact
from astrio.blocks.store.door import judged
from astrio.blocks.store.server import OWN_AUTH
from astrio.deployments.server_process import (
    ServerNote,
    await_health,
    is_healthy,
    launch,
)
from astrio.tasks.ledger.home import astrio_home, make_astrio_home

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient


@contextmanager
def prefect_server(notify: Callable[[str], None]) -> Iterator[str]:
    """Make a Prefect server available within the block and yield its API URL.

    Args:
        notify: shows a sentence to the user, such as that a temporary server is starting.

    Raises:
        ServerUnavailableError: the configured server does not answer, or none could be started.
    """
    configured = configured_server()
    if configured is not None:
        yield configured
        return
    with shared_server(notify) as url, using(url):
        yield url


def is_lasting(url: str) -> bool:
    """Whether the server at this API URL stays when the run has ended."""
    note = ServerNote.read(astrio_home())
    return note is None or note.url != url or not note.temporary


def configured_server() -> str | None:
    """Return the API URL of `PREFECT_API_URL` or the active profile, None if there is none.

    Raises:
        ServerUnavailableError: it does not answer.
    """
    from prefect.settings import get_current_settings

    configured = get_current_settings().api.url
    if configured is not None:
        _require(configured)
    return configured


def _require(url: str) -> None:
    """Ask the configured server with Prefect's own client: its credentials, proxy and TLS."""
    from prefect.client.orchestration import get_client

    from astrio.flows.one_trust import share_trust

    share_trust()
    with get_client(sync_client=True) as client:
        failure = client.api_healthcheck()
        if failure is None:
            _require_admission(client)
    if failure is not None:
        why = f"{type(failure).__name__}: {failure}".partition("\n")[0]
        raise ServerUnavailableError(
            f"The configured Prefect server at {redact(url)} does not answer ({redact(why)}).",
            advice="Start it, or correct PREFECT_API_URL or the active Prefect profile; "
            "unset both to let astrio start a temporary server.",
        )


def _require_admission(client: SyncPrefectClient) -> None:
    """Make sure that the server lets us in.

    Raises:
        CredentialsError: it does not.
    """
    from prefect.exceptions import PrefectHTTPStatusError

    try:
        client.api_version()
    except PrefectHTTPStatusError as error:
        judged(error.response, redact(str(client.api_url)))


@contextmanager
def using(url: str) -> Iterator[None]:
    """Let everything within the block use the server of ours at this API URL.

    Raises:
        CredentialsError: it asks for a user and password that are not known here.
    """
    from prefect.client.orchestration import get_client
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker
    from prefect.settings import (
        PREFECT_API_AUTH_STRING,
        PREFECT_API_URL,
        get_current_settings,
        temporary_settings,
    )

    settings: dict[Any, Any] = {PREFECT_API_URL: url}
    if get_current_settings().api.auth_string is None and (own := os.environ.get(OWN_AUTH)):
        settings[PREFECT_API_AUTH_STRING] = own
    with temporary_settings(settings):
        with get_client(sync_client=True) as client:
            _require_admission(client)
        try:
            yield
        finally:  # what is recorded in the background must arrive before the server stops
            for worker in (EventsWorker, APILogWorker):
                worker.drain_all(at_exit=False)


@contextmanager
def shared_server(notify: Callable[[str], None]) -> Iterator[str]:
    """Yield the noted server if it is healthy, else start a temporary one.

    Several runs share a temporary server: each holds a shared lock while it uses it, and whoever
    leaves last (and so gets the lock for itself) stops it.
    """
    home = make_astrio_home()
    with ExitStack() as stack:
        users = stack.enter_context(users_lock(home))
        starting = stack.enter_context(starting_lock(home))
        fcntl.flock(starting, fcntl.LOCK_EX)
        note = noted_server(home) or _start(home, notify)
        fcntl.flock(users, fcntl.LOCK_SH)
        fcntl.flock(starting, fcntl.LOCK_UN)
        try:
            yield note.url
        finally:
            _leave(home, users, starting)


def users_lock(home: Path) -> IO[str]:
    """Return the file that each run locks (shared) while it uses a server of `ASTRIO_HOME`."""
    return (home / "server.users").open("a")


def starting_lock(home: Path) -> IO[str]:
    """Return the file to lock while a server is chosen, started or stopped."""
    return (home / "server.starting").open("a")


def noted_server(home: Path) -> ServerNote | None:
    """Return the noted server if it answers; one that was left while it started is awaited.

    Must be called under the starting lock, so nobody else is about to start one.
    """
    note = ServerNote.read(home)
    if note is None or is_healthy(note.url):
        return note
    if note.runs:
        try:
            await_health(note, home)
        except ServerUnavailableError:
            return None
        return note
    return None


def _leave(home: Path, users: IO[str], starting: IO[str]) -> None:
    fcntl.flock(starting, fcntl.LOCK_EX)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # another run still uses it
    note = ServerNote.read(home)
    if note is not None and note.temporary:
        note.stop()
        ServerNote.forget(home)


def _start(home: Path, notify: Callable[[str], None]) -> ServerNote:
    notify("No Prefect server is configured: starting a temporary one (5 to 40 seconds).")
    note = launch(home, port=_free_port(), temporary=True)
    seconds = await_health(note, home)
    notify(
        f"The temporary Prefect server is ready after {seconds:.0f} s. Keep a server running "
        "(`astrio up`, or `prefect server start` and PREFECT_API_URL set) and runs start in "
        "seconds."
    )
    return note


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
