"""A folder's integrations, as they are now and as they change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from prefect.client.orchestration import PrefectClient

from astrio.deployments.cli.files import SUFFIXES
from astrio.deployments.deploying.applying import Applied, apply
from astrio.deployments.deploying.automation import HEARTBEAT_SECONDS, watch_heartbeats
from astrio.deployments.deploying.building import Target
from astrio.deployments.deploying.collecting import Collected, collect, folder_files
from astrio.deployments.deploying.pruning import gone, prune
from astrio.flows.variables import missing_variables

Snapshot = frozenset[tuple[Path, int, int]]


@dataclass
class Folder:
    """Keeps the deployments on the server as the folder's files say.

    A file with mistakes keeps its last good deployment; a file that is gone loses its own.

    Attributes:
        path: where the files are, or in `integrations/` below.
        tell: shows a line to the user.
    """

    path: Path
    tell: Callable[[str], None]
    _seen: Snapshot | None = None
    _acted: Snapshot | None = None
    _told: set[str] = field(default_factory=set)

    def has_changed(self) -> bool:
        """Whether there is something new, and nobody is just writing it."""
        now = self._snapshot()
        settled, self._seen = now == self._seen, now
        return settled and now != self._acted and self.path.is_dir()

    async def deploy(self, client: PrefectClient) -> list[Applied]:
        """Bring the server up to date, and return the deployments to serve."""
        self._acted = self._snapshot()
        collected = collect(folder_files(self.path))
        self._tell_news(collected)
        applied = await apply(client, collected.found, Target())
        left = await gone(client, [self.path], collected.found, collected.mistakes)
        await prune(client, left)
        for deployment in left:
            self.tell(f"{deployment.name}: its integration is gone, and so is its deployment")
        files = {*(each.file for each in collected.found), self.path.resolve() / "-"}
        await watch_heartbeats(client, files, HEARTBEAT_SECONDS)
        return applied

    def _snapshot(self) -> Snapshot:
        found = set()
        for folder in (self.path, self.path / "integrations"):
            for path in folder.iterdir() if folder.is_dir() else ():
                try:
                    about = path.stat()
                except OSError:
                    continue
                if path.suffix in SUFFIXES:
                    found.add((path, about.st_mtime_ns, about.st_size))
        return frozenset(found)

    def _tell_news(self, collected: Collected) -> None:
        """Say each mistake and warning once, until it is mended."""
        lines = [line for lines in collected.mistakes.values() for line in lines]
        lines += collected.warnings
        for found in collected.found:
            if missing := missing_variables(found.integration):
                name = found.integration.name
                lines.append(f"warning: {name} needs {', '.join(missing)}, not set here: it fails")
        for line in lines:
            if line not in self._told:
                self.tell(line)
        self._told = set(lines)
