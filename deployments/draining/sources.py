"""The integrations that a folder's webhook sources feed, as the files have them now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from astrio.blocks.errors import ConfigurationError
from astrio.deployments.deploying.collecting import folder_files
from astrio.deployments.watching import Watch
from astrio.flows.connecting import webhook_name
from astrio.flows.integration import Integration
from astrio.flows.reading.mistakes import IntegrationFileError
from astrio.flows.reading.read import Loaded, read_file


class FolderSources:
    """Reads the files anew when they have changed; a file with a mistake stays as it was."""

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        """Read the files.

        Args:
            folder: its files, and those of its `integrations/`.
            tell: shows a line to the user.
        """
        self._folder = folder
        self._tell = tell
        self._watch = Watch(folder)
        self._good: dict[Path, Integration] = {}
        self._by_source: dict[str, list[Integration]] = {}
        self._read()

    def current(self) -> Mapping[str, Sequence[Integration]]:
        """Return the integrations of each source, by the source's name."""
        if self._watch.has_changed():
            self._read()
        return self._by_source

    def file_of(self, integration: Integration) -> Path | None:
        """Return the file that holds the integration of this name."""
        return next(
            (file for file, held in self._good.items() if held.name == integration.name), None
        )

    def _read(self) -> None:
        self._watch.taken()
        files = folder_files(self._folder)
        for file in files:
            try:
                loaded = read_file(file)
                if isinstance(loaded, Loaded):
                    self._good[file] = loaded.integration
            except IntegrationFileError as error:
                for mistake in error.mistakes:
                    if not mistake.warning:
                        self._tell(mistake.located(file))
            except ConfigurationError as error:
                self._tell(f"{file}:1:1: {error.message}")
        for gone in self._good.keys() - set(files):
            del self._good[gone]
        self._by_source = {}
        for file in sorted(self._good):
            integration = self._good[file]
            if name := webhook_name(integration):
                self._by_source.setdefault(name, []).append(integration)
