"""Noticing that the files of a folder have changed."""

from __future__ import annotations

from pathlib import Path

from astrio.deployments.cli.files import SUFFIXES

Snapshot = frozenset[tuple[Path, int, int]]


class Watch:
    """Looks at a folder's integration files, and at those in its `integrations/`."""

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
        for folder in (self._folder, self._folder / "integrations"):
            for path in folder.iterdir() if folder.is_dir() else ():
                try:
                    about = path.stat()
                except OSError:
                    continue
                if path.suffix in SUFFIXES:
                    found.add((path, about.st_mtime_ns, about.st_size))
        return frozenset(found)
