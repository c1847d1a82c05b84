"""A folder's integrations, as they are now and as they change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from prefect.client.orchestration import PrefectClient

from astrio.deployments.delivering.registering import register
from astrio.deployments.deploying.applying import Applied, apply
from astrio.deployments.deploying.automation import HEARTBEAT_SECONDS, watch_heartbeats
from astrio.deployments.deploying.building import Target
from astrio.deployments.deploying.collecting import Collected, collect, folder_files
from astrio.deployments.deploying.pruning import gone, prune
from astrio.deployments.serving.news import news
from astrio.deployments.watching import Watch


@dataclass
class Folder:
    """Keeps the deployments on the server as the folder's files say.

    A file with mistakes keeps its last good deployment; a file that is gone loses its own.

    Attributes:
        path: where the files are, or in `integrations/` below.
        tell: shows a line to the user.
        has_triggers: whether there is something to deliver to.
        has_webhooks: whether there is something to receive.
    """

    path: Path
    tell: Callable[[str], None]
    has_triggers: bool = False
    has_webhooks: bool = False
    _told: set[str] = field(default_factory=set)
    _watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        self._watch = Watch(self.path)

    def has_changed(self) -> bool:
        """Whether there is something new, and nobody is just writing it."""
        return self._watch.has_changed()

    async def deploy(self, client: PrefectClient) -> list[Applied]:
        """Bring the server up to date, and return the deployments to serve."""
        self._watch.taken()
        collected = collect(folder_files(self.path))
        self._tell_news(collected)
        applied = await apply(client, collected.found, Target())
        left = await gone(client, [self.path], collected.found, collected.mistakes)
        await prune(client, left)
        for deployment in left:
            self.tell(f"{deployment.name}: its integration is gone, and so is its deployment")
        for name in await asyncio.to_thread(register, collected, [self.path]):
            self.tell(f"{name}: its trigger is gone; events are not sent there any more")
        self.has_triggers = bool(collected.triggers)
        self.has_webhooks = bool(collected.fed)
        files = {*(each.file for each in collected.found), self.path.resolve() / "-"}
        await watch_heartbeats(client, files, HEARTBEAT_SECONDS)
        return applied

    def _tell_news(self, collected: Collected) -> None:
        """Say each line once, until it is another."""
        lines = list(news(collected))
        for line in lines:
            if line not in self._told:
                self.tell(line)
        self._told = set(lines)
