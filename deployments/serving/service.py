"""Serving a folder: its deployments kept up to date, their runs started, watched and told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from httpx import HTTPError
from prefect.client.orchestration import PrefectClient, get_client
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import PrefectHTTPStatusError
from prefect.runner import Runner

from astrio.blocks.errors import ConfigurationError, RetryableError, ServerUnavailableError
from astrio.blocks.redaction import redact
from astrio.deployments.delivering.process import keep_delivering
from astrio.deployments.deploying import keeping_alive
from astrio.deployments.deploying.applying import Applied
from astrio.deployments.deploying.automation import HEARTBEAT_SECONDS
from astrio.deployments.deploying.building import ENTRYPOINT, FLOW, Target
from astrio.deployments.deploying.keeping_alive import keep_alive_deployment
from astrio.deployments.gateway.process import keep_receiving
from astrio.deployments.server_process import ServerNote, log_file
from astrio.deployments.serving.folder import Folder
from astrio.deployments.serving.runs import EndedRuns, crash_stuck, merge_missed
from astrio.tasks.ledger.home import astrio_home

QUERY_SECONDS = 2.0
_LOOK_SECONDS = 0.5
_TIDY_SECONDS = 10.0


class ServingEndedError(RetryableError):
    """Prefect's runner has ended by itself."""

    kind = "server"


class _Served(RunnerDeployment):
    """A deployment that is on the server already, for a runner to take."""

    id: UUID

    async def aapply(self, *_: object, **__: object) -> UUID:
        return self.id


class _Runner(Runner):
    """Prefect's runner, which leaves it to `astrio up` what SIGTERM means."""

    on_sigterm: Callable[[], object]

    def handle_sigterm(self, *_: object, **__: object) -> None:
        self.on_sigterm()


class Service:
    """Everything that `astrio up` does between its start and its end."""

    def __init__(
        self,
        folder: Path,
        note: ServerNote | None,
        tell: Callable[[str], None],
        gateway: tuple[str, int],
    ) -> None:
        """Take the folder, the server to look after (None: not ours), and what shows a line.

        `gateway` is the host and port at which webhooks are received, if an integration wants any.
        """
        self._gateway = gateway
        self._note = note
        self._tell = tell
        self.on_sigterm: Callable[[], object] = lambda: None
        self._folder = Folder(folder, tell)
        self._served: dict[UUID, Applied] = {}
        self._keeper: UUID | None = None
        self._trouble = ""
        self._ended = EndedRuns(tell)
        self._runner = _Runner(
            name="astrio",
            query_seconds=QUERY_SECONDS,
            heartbeat_seconds=HEARTBEAT_SECONDS,
            pause_on_shutdown=False,  # a pause belongs to whoever made it
        )

    async def run(
        self, stopping: asyncio.Event, ready: Callable[[dict[UUID, Applied]], object]
    ) -> None:
        """Serve until `stopping` is set; runs that are under way then end at a chunk.

        Args:
            stopping: ends it.
            ready: called with the deployments by id, once they are served.

        Raises:
            ServerUnavailableError: astrio's own server has ended.
            ServingEndedError: Prefect's runner has.
        """
        async with get_client() as client:
            await self._deploy(client)
            await self._tidy(client)
            ready(self._served)
            loop = asyncio.get_running_loop()
            # The runner takes SIGTERM for itself when it starts.
            self._runner.on_sigterm = lambda: loop.call_soon_threadsafe(self.on_sigterm)
            runner = asyncio.create_task(self._runner.start())
            jobs: list[asyncio.Task[Any]] = [
                asyncio.create_task(stopping.wait()),
                asyncio.create_task(self._look(client)),
                asyncio.create_task(self._keep_tidy(client)),
                asyncio.create_task(self._watch_server()),
                delivering := asyncio.create_task(self._deliver(stopping)),
                receiving := asyncio.create_task(self._receive(stopping)),
                runner,
            ]
            try:
                done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            finally:
                stopping.set()
                await asyncio.gather(delivering, receiving, return_exceptions=True)
                await self._stop(jobs, runner, client)
            self._explain(done, runner)

    def _explain(self, done: set[asyncio.Task[Any]], runner: asyncio.Task[None]) -> None:
        for job in done:
            job.result()
        if runner in done:
            raise ServingEndedError("Prefect's runner has ended.", advice="Start it again.")

    async def _stop(
        self, jobs: list[asyncio.Task[Any]], runner: asyncio.Task[None], client: PrefectClient
    ) -> None:
        for job in jobs:
            if job is not runner:
                job.cancel()
        if not runner.done():
            while not self._runner.started:  # noqa: ASYNC110 (Prefect offers no event)
                await asyncio.sleep(0.05)
            await self._runner.astop()
        await asyncio.gather(*jobs, return_exceptions=True)
        if self._note is None or self._note.runs:
            await self._ended.tell_news(client, self._served)

    async def _deploy(self, client: PrefectClient) -> list[Applied]:
        applied = await self._folder.deploy(client)
        for each in applied:
            assert each.id is not None
            if each.id not in self._served:
                name = each.found.integration.name
                deployment = _Served(name=name, flow_name=FLOW, entrypoint=ENTRYPOINT, id=each.id)
                await self._runner.aadd_deployment(deployment)
            self._served[each.id] = each
        await self._keep_tokens_alive(client)
        return applied

    async def _keep_tokens_alive(self, client: PrefectClient) -> None:
        made = await keep_alive_deployment(client, Target())
        if made is not None and self._keeper is None:
            self._keeper = made
            deployment = _Served(
                name=keeping_alive.NAME,
                flow_name=keeping_alive.FLOW,
                entrypoint=keeping_alive.ENTRYPOINT,
                id=made,
            )
            await self._runner.aadd_deployment(deployment)

    async def _deliver(self, stopping: asyncio.Event) -> None:
        """Keep a deliverer running from the first trigger on."""
        while not self._folder.has_triggers and not stopping.is_set():  # noqa: ASYNC110 (as above)
            await asyncio.sleep(_LOOK_SECONDS)
        if not stopping.is_set():
            await keep_delivering(self._folder.path, stopping, self._tell)
        await stopping.wait()

    async def _receive(self, stopping: asyncio.Event) -> None:
        """Keep a gateway and its drainer running from the first webhook source on."""
        while not self._folder.has_webhooks and not stopping.is_set():  # noqa: ASYNC110 (as above)
            await asyncio.sleep(_LOOK_SECONDS)
        if not stopping.is_set():
            await keep_receiving(self._folder.path, *self._gateway, stopping, self._tell)
        await stopping.wait()

    async def _look(self, client: PrefectClient) -> None:
        """Take changed files up, and tell of runs that ended."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if self._folder.has_changed():
                await self._attempt(self._take_changes(client))
            await self._attempt(self._ended.tell_news(client, self._served))

    async def _take_changes(self, client: PrefectClient) -> None:
        for each in await self._deploy(client):
            if each.action != "unchanged":
                changed = f" ({', '.join(each.changed)})" if each.changed else ""
                self._tell(f"{each.found.integration.name}: deployment {each.action}{changed}")

    async def _keep_tidy(self, client: PrefectClient) -> None:
        while True:
            await asyncio.sleep(_TIDY_SECONDS)
            await self._attempt(self._tidy(client))

    async def _tidy(self, client: PrefectClient) -> None:
        """Let one run catch up on all that were missed, and give up what hangs."""
        if skipped := await merge_missed(client, self._served):
            self._tell(f"{skipped} missed runs: the newest of each integration catches up")
        await crash_stuck(client, self._served)

    async def _watch_server(self) -> None:
        while self._note is None or self._note.runs:  # noqa: ASYNC110 (a process has no event)
            await asyncio.sleep(_LOOK_SECONDS)
        raise ServerUnavailableError(
            "The Prefect server that `astrio up` started has ended.",
            advice=f"Its log is {log_file(astrio_home())}. Start `astrio up` again.",
        )

    async def _attempt(self, work: Awaitable[object]) -> None:
        """Do what can be done again a moment later, and tell once why it cannot be done now."""
        try:
            await work
        except (HTTPError, PrefectHTTPStatusError, ConfigurationError) as error:
            trouble = redact(str(error).partition("\n")[0] or type(error).__name__)
            if trouble != self._trouble:
                self._tell(f"warning: {trouble}")
            self._trouble = trouble
        else:
            self._trouble = ""
