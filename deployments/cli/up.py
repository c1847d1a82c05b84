"""Start a Prefect server and run what the folder's integrations schedule, until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.store.server import OWN_AUTH
from astrio.deployments.cli.output import INTERRUPTED, say
from astrio.deployments.deploying.collecting import collect, folder_files
from astrio.deployments.running import quieten_prefect
from astrio.deployments.server_safety import open_api, server_warnings
from astrio.deployments.serving.note import only_up
from astrio.flows.schedule import described
from astrio.tasks.ledger.home import make_astrio_home

if TYPE_CHECKING:
    from astrio.deployments.deploying.applying import Applied
    from astrio.deployments.server_process import ServerNote

app = typer.Typer()


@app.command()
def up(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Folder with the integration files.")
    ] = Path(),
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Of the server and its UI; else 4200, or the next."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    gateway_port: Annotated[
        int, typer.Option(min=1, max=65535, help="Of the gateway, if webhooks are received.")
    ] = 8700,
    gateway_host: Annotated[str, typer.Option(help="Its address to listen on.")] = "127.0.0.1",
) -> None:
    """Start a Prefect server and run what the folder's integrations schedule, until Ctrl-C.

    Every integration of DIR and DIR/integrations becomes a deployment; files that change are
    taken up at once, and a file with a mistake keeps its last good deployment. A server that is
    configured (PREFECT_API_URL, profile) is used, else one is started; Ctrl-C or `astrio down`
    stops everything that was started here, and nothing else.
    """
    _require_something(folder)
    quieten_prefect()
    home = make_astrio_home()
    with only_up(home, folder), _terminable() as ends:
        from astrio.deployments.server import configured_server
        from astrio.deployments.serving.server import server_to_serve

        with server_to_serve(home, port, host, say) as note:
            url = note.url if note else configured_server() or ""
            for warning in _warnings(note, url):
                say(warning)
            asyncio.run(_serve(folder, note, url, ends, (gateway_host, gateway_port)))
    if ends.signal == signal.SIGINT:
        raise typer.Exit(INTERRUPTED)


class _Ends:
    """Which signal has asked for the end."""

    signal: int | None = None


@contextmanager
def _terminable() -> Iterator[_Ends]:
    """Let SIGTERM end the block as Ctrl-C does, and remember which of the two it was."""
    ends = _Ends()

    def stop(number: int, _: Any) -> None:
        ends.signal = number
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ends
    except KeyboardInterrupt:
        if ends.signal is None:
            raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _require_something(folder: Path) -> None:
    """Refuse a folder that is none, or whose files are all wrong.

    Raises:
        ConfigurationError: it lists every mistake.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"There is no folder {folder}.", advice="Name one with files.")
    files = folder_files(folder)
    collected = collect(files)
    if files and not (collected.found or collected.fed or collected.triggers):
        collected.require_all()
    if not files:
        say(f"There is no integration in {folder.resolve()} yet: `astrio init` writes an example.")


def _warnings(note: ServerNote | None, url: str) -> Iterator[str]:
    if note is None:
        yield from server_warnings(url, os.environ)
    elif not os.environ.get(OWN_AUTH):
        yield open_api(url)


async def _serve(
    folder: Path, note: ServerNote | None, url: str, ends: _Ends, gateway: tuple[str, int]
) -> None:
    from astrio.blocks.saved.saving import register_all
    from astrio.deployments.serving.service import Service

    await register_all()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop(number: int) -> Callable[[], None]:
        def act() -> None:
            ends.signal = ends.signal or number
            stopping.set()

        return act

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop(number))
    service = Service(folder, note, say, gateway)
    service.on_sigterm = stop(signal.SIGTERM)
    await service.run(stopping, lambda served: _announce(served, url))
    say("Stopped.")


def _announce(served: dict[UUID, Applied], url: str) -> None:
    for each in served.values():
        integration = each.found.integration
        say(f"{integration.name}: {described(integration.schedule)}")
    say(f"The UI is at {url.removesuffix('/api')} (Ctrl-C or `astrio down` stops astrio).")
