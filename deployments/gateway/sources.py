"""Which webhook sources a folder's integrations name, saved or written out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.store import reader
from astrio.blocks.webhooks.source import WebhookSource
from astrio.deployments.cli.files import SUFFIXES
from astrio.deployments.deploying.collecting import folder_files
from astrio.flows.connecting import webhook_name, webhook_of
from astrio.flows.integration import Integration
from astrio.flows.reading.document import read_document
from astrio.flows.reading.mistakes import IntegrationFileError
from astrio.flows.reading.read import Loaded, read_file

Snapshot = frozenset[tuple[Path, int, int]]
_SOURCE: Final = re.compile(r"""\bsource["']?\s*:""")
_WEBHOOK: Final = re.compile(r"""\bwebhook["']?\s*:""")


class FolderWebhooks:
    """The webhook sources of a folder; a mistake elsewhere in it keeps none of them away."""

    def __init__(self, folder: Path, tell: Callable[[str], object]) -> None:
        """Take the folder, and what shows a warning.

        Args:
            folder: its files, and those of its `integrations/`.
            tell: shows a warning, once as long as it stays the same.
        """
        self._folder = folder
        self._tell = tell
        self._naming: frozenset[Path] = frozenset()
        self._told: frozenset[str] = frozenset()

    def read(self) -> dict[str, WebhookSource]:
        """Return the sources by name: the saved name, or the integration's if it is written out.

        Raises:
            ConfigurationError: a file that names a webhook source, or did when it was read last,
                has a mistake, or a source is not saved.
            ServerUnavailableError: a saved source is named, and no Prefect server answers.
        """
        reader.forget()
        integrations = self._integrations()
        found: dict[str, WebhookSource] = {}
        for integration in integrations.values():
            _add(found, integration)
        self._naming = frozenset(file for file, held in integrations.items() if webhook_name(held))
        return found

    def _integrations(self) -> dict[Path, Integration]:
        """Read every file; a mistake in one that names no webhook source is a warning."""
        found: dict[Path, Integration] = {}
        mistakes: list[str] = []
        warnings: list[str] = []
        for file in self._files():
            try:
                loaded = read_file(file)
            except ConfigurationError as error:
                into = mistakes if file in self._naming or _may_name_one(file) else warnings
                into += _lines(error, file, warning=into is warnings)
                continue
            if isinstance(loaded, Loaded):
                warnings += [each.located(file) for each in loaded.warnings]
                found[file] = loaded.integration
        self._warn(warnings)
        if mistakes:
            raise ConfigurationError(
                "\n".join(["The webhook sources cannot be read:", *mistakes]),
                advice="Mend the files; `astrio check` lists what is left.",
            )
        return found

    def _files(self) -> Iterable[Path]:
        """Return the folder's files; one that is just being written may look like none of them."""
        held = (file for file in sorted(self._naming) if file.is_file())
        return dict.fromkeys([*folder_files(self._folder), *held])

    def _warn(self, warnings: Sequence[str]) -> None:
        for line in warnings:
            if line not in self._told:
                self._tell(line)
        self._told = frozenset(warnings)


def webhook_sources(folder: Path, tell: Callable[[str], object]) -> dict[str, WebhookSource]:
    """Return a folder's webhook sources by name; raises as `FolderWebhooks.read`."""
    return FolderWebhooks(folder, tell).read()


def snapshot(folder: Path) -> Snapshot:
    """Return what changes when the folder's files do."""
    seen = set()
    for place in (folder, folder / "integrations"):
        for path in place.iterdir() if place.is_dir() else ():
            try:
                about = path.stat()
            except OSError:
                continue
            if path.suffix in SUFFIXES:
                seen.add((path, about.st_mtime_ns, about.st_size))
    return frozenset(seen)


def _lines(error: ConfigurationError, file: Path, *, warning: bool) -> list[str]:
    """Return what is wrong with a file, a line for each mistake."""
    if not isinstance(error, IntegrationFileError):
        return [f"warning: {error.message}" if warning else error.message]
    mistakes = [each for each in error.mistakes if not each.warning]
    return [replace(each, warning=warning).located(file) for each in mistakes]


def _may_name_one(file: Path) -> bool:
    """Whether a file with a mistake names a webhook source, as far as that can be told."""
    try:
        root = read_document(file).root
        if root is not None:
            return root.at("source", "webhook") is not None
        text = file.read_text("utf-8", errors="replace")
    except (ConfigurationError, OSError):
        return False
    source = _SOURCE.search(text)
    return source is not None and _WEBHOOK.search(text, source.end()) is not None


def _add(found: dict[str, WebhookSource], integration: Integration) -> None:
    named = webhook_of(integration)
    if named is None:
        return
    name, source = named
    if found.setdefault(name, source) != source:
        raise ConfigurationError(
            f"Two webhook sources are called `{name}`: a saved one, and that of the integration "
            "of this name.",
            advice="Give the integration another name.",
        )
