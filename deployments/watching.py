"""Noticing that the files of a folder have changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from astrio.deployments.cli.files import SUFFIXES
from astrio.tasks.python.folder import python_files

Snapshot = frozenset[tuple[Path, int, int]]


class Watch:
    """Looks at a folder's integration files, those in its `integrations/`, and the connectors."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; whatever it holds counts as changed until `taken`."""
        self._folder = folder
        self._seen: Snapshot | None = None
        self._acted: Snapshot | None = None

    def has_changed(self) -> bool:
        """Whether there is something new, and nobody is just writing it."""
        now = self._snapshot()
        settled, self._seen = now == self._seen, now
        return settled and now != self._acted and self._folder.is_dir()

    def taken(self) -> None:
        """Note that the files are about to be read as they are now."""
        self._acted = self._snapshot()

    def _snapshot(self) -> Snapshot:
        found = set()
        for path in (*self._integrations(), *python_files()):
            try:
                about = path.stat()
            except OSError:
                continue
            found.add((path, about.st_mtime_ns, about.st_size))
        return frozenset(found)

    def _integrations(self) -> Iterator[Path]:
        for folder in (self._folder, self._folder / "integrations"):
            for path in folder.iterdir() if folder.is_dir() else ():
                if path.suffix in SUFFIXES:
                    yield path
