"""Running the gateway: granian within this process, its inbox, and what changes meanwhile."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server.embed import Server

from astrio.blocks.errors import AstrioError, ConfigurationError
from astrio.blocks.rates import per_second
from astrio.blocks.webhooks.documents import Documents
from astrio.deployments.gateway.access import AccessLog
from astrio.deployments.gateway.addresses import Networks
from astrio.deployments.gateway.app import Gateway
from astrio.deployments.gateway.bodies import Bodies
from astrio.deployments.gateway.committing import Committer
from astrio.deployments.gateway.counting import Counts
from astrio.deployments.gateway.emitting import emission
from astrio.deployments.gateway.fetching import fetch
from astrio.deployments.gateway.housekeeping import (
    end_late_bodies,
    keep_checkpointing,
    purge_old,
    tell_news,
)
from astrio.deployments.gateway.pages import Pages
from astrio.deployments.gateway.rates import Buckets
from astrio.deployments.gateway.refreshing import EVERY_SECONDS, ranges_folder, refresh
from astrio.deployments.gateway.routes import Routes
from astrio.deployments.gateway.settings import GatewaySettings
from astrio.deployments.gateway.sources import FolderWebhooks, snapshot
from astrio.deployments.gateway.telling import explained
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.webhooks.inbox.appending import Appender
from astrio.tasks.webhooks.inbox.looking import backlog

LOOK_SECONDS: Final = 1.0
PATIENCE: Final = 20.0
"""Seconds that requests under way get to end."""

Tell = Callable[[str], object]


class GatewayServer:
    """The gateway of one folder."""

    def __init__(self, folder: Path, settings: GatewaySettings, tell: Tell) -> None:
        """Read the folder's webhook sources, resolve their secrets, and find the port.

        Args:
            folder: with the integration files.
            settings: where to listen, and the limits.
            tell: shows a line.

        Raises:
            ConfigurationError: a mistake in a file, a secret that cannot be resolved, or a port
                that cannot be used; nothing listens then.
        """
        self._folder = folder
        self._settings = settings
        self._tell = tell
        self._seen = snapshot(folder)
        self._webhooks = FolderWebhooks(folder, tell)
        self.routes = self._read()
        self._warn()
        self._port = _usable_port(settings.host, settings.port)
        self._trouble = ""

    @property
    def url(self) -> str:
        """Where it listens."""
        scheme = "https" if self._settings.certificate else "http"
        host = self._settings.host
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self._port}"

    def summary(self) -> str:
        """Return which sources are served, and where, as one line."""
        found = [f"{route.name} at {path}" for path, route in self.routes.by_path.items()]
        if not found:
            return "No integration here names a webhook source yet: every request is refused."
        return f"Webhook sources: {', '.join(found)}"

    async def run(
        self, stopping: asyncio.Event, reload: asyncio.Event, listening: Callable[[str], object]
    ) -> None:
        """Serve until `stopping` is set; what has been accepted by then is stored and answered.

        Args:
            stopping: ends it.
            reload: set to read the folder and its secrets anew; it is cleared.
            listening: called with the URL, once requests are answered.

        Raises:
            AstrioError: the inbox cannot be opened.
        """
        ledger = Ledger()
        # SQLite has one writer; on PostgreSQL a second need not wait for the first one's disk.
        writers = 2 if ledger.database.dialect.concurrent else 1
        appenders = [await asyncio.to_thread(Appender, ledger) for _ in range(writers)]
        settings, counts = self._settings, Counts()
        proxies = Networks(settings.proxies)
        pages = Pages(counts, backlog, Networks(settings.metrics_to), proxies)
        appends = [each.append for each in appenders]
        committer = Committer(appends, lambda error: self._note(pages, error))
        bodies = Bodies(settings.body_seconds, settings.body_memory)
        rate, taken = settings.address_rate, emission(bodies)
        async with AccessLog(settings.access_log) as log:
            app = Gateway(
                self.routes,
                committer,
                bodies,
                counts,
                pages,
                Documents(fetch, time.monotonic),
                proxies=proxies,
                addresses=Buckets(per_second(rate)) if rate else None,
                log=log.entry if settings.access_log else None,
                emission=taken,
            )
            jobs = self._jobs(app, reload, bodies, counts)
            if ledger.own_file:
                jobs.append(keep_checkpointing(counts, ledger))
            async with _running(*jobs), self._listening(app, listening):
                await stopping.wait()
                pages.closing = True
            await committer.close()
        for each in appenders:
            await asyncio.to_thread(each.close)
        for line in counts.news():
            self._tell(line)

    def _jobs(
        self, app: Gateway, reload: asyncio.Event, bodies: Bodies, counts: Counts
    ) -> list[Coroutine[Any, Any, None]]:
        """Return what is done beside answering."""
        jobs: list[Coroutine[Any, Any, None]] = [
            end_late_bodies(bodies, min(self._settings.body_seconds / 10, 0.5)),
            tell_news(counts, self._tell),
            purge_old(lambda: list(app.routes.by_path.values()), self._tell),
            self._look(app, reload),
        ]
        if self._settings.refresh_networks:
            jobs.append(self._refresh(reload))
        return jobs

    @asynccontextmanager
    async def _listening(
        self, app: Gateway, listening: Callable[[str], object]
    ) -> AsyncIterator[None]:
        server = _server(app, self._settings, self._port)
        serving = asyncio.create_task(server.serve())
        try:
            await _answering(self._settings.host, self._port, serving)
            listening(self.url)
            yield
        finally:
            server.stop()  # type: ignore[no-untyped-call] # granian's own
            with suppress(TimeoutError):
                await asyncio.wait_for(serving, PATIENCE)

    async def _look(self, app: Gateway, reload: asyncio.Event) -> None:
        """Take up changed files, and secrets that are resolved anew, for requests to come."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(reload.wait(), LOOK_SECONDS)
            now = await asyncio.to_thread(snapshot, self._folder)
            if now == self._seen and not reload.is_set():
                continue
            reload.clear()
            self._seen = now
            try:
                app.routes = self.routes = await asyncio.to_thread(self._read)
            except AstrioError as error:
                self._tell(f"warning: the webhook sources stay as they were: {explained(error)}")
            else:
                self._tell(self.summary())
                self._warn()

    async def _refresh(self, reload: asyncio.Event) -> None:
        """Fetch vendors' lists of networks once a day, and take up what has changed."""
        while True:
            named = [name for route in self.routes.by_path.values() for name in route.allows]
            for vendor in await refresh(named, ranges_folder(), fetch, self._tell):
                self._tell(f"The networks of {vendor} have changed.")
                reload.set()
            await asyncio.sleep(EVERY_SECONDS)

    def _read(self) -> Routes:
        return Routes(self._webhooks.read(), ranges_folder())

    def _warn(self) -> None:
        for route in self.routes.by_path.values():
            for warning in route.warnings:
                self._tell(f"warning: {route.name}: {warning}")

    def _note(self, pages: Pages, error: Exception | None) -> None:
        pages.trouble = error
        trouble = "" if error is None else str(error) or type(error).__name__
        if trouble != self._trouble:
            text = f"warning: the inbox cannot be written: {trouble}"
            self._tell(text if trouble else "The inbox can be written again.")
        self._trouble = trouble


def _server(app: Gateway, settings: GatewaySettings, port: int) -> Server:
    try:
        return Server(
            app,
            address=settings.host,
            port=port,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=False,
            log_enabled=False,
            backlog=settings.connections,
            backpressure=settings.connections,
            http1_settings=HTTP1Settings(
                header_read_timeout=int(settings.header_seconds * 1000),
                max_buffer_size=settings.header_bytes,
            ),
            ssl_cert=settings.certificate,
            ssl_key=settings.key,
            ssl_protocol_min=SSLProtocols.tls12,
        )
    except Exception as error:
        raise ConfigurationError(
            f"granian does not start: {error}", advice="Look at --cert and --key."
        ) from error


@asynccontextmanager
async def _running(*jobs: Any) -> AsyncIterator[None]:
    """Run coroutines beside the block, and cancel them at its end."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _usable_port(host: str, port: int) -> int:
    """Return the port, or a free one for 0.

    granian binds with SO_REUSEPORT: it would share a taken port without a word.

    Raises:
        ConfigurationError: the address cannot be used.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return int(probe.getsockname()[1])
    except OSError as error:
        why = "it is taken" if error.errno == errno.EADDRINUSE else error.strerror
        raise ConfigurationError(
            f"The gateway cannot listen on {host}:{port}: {why}.",
            advice="Give another --port or --host.",
        ) from None


async def _answering(host: str, port: int, serving: asyncio.Task[Any]) -> None:
    reach = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (compared only)
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection(reach, port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return
    serving.result()
    raise ConfigurationError("granian has ended.", advice="Look at --cert, --key and --host.")
