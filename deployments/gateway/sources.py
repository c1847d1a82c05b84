"""Which webhook sources a folder's integrations name, saved or written out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.store import reader
from astrio.blocks.webhooks.source import WebhookSource
from astrio.deployments.cli.files import SUFFIXES
from astrio.deployments.deploying.collecting import folder_files
from astrio.flows.connecting import webhook_of
from astrio.flows.integration import Integration
from astrio.flows.reading.mistakes import IntegrationFileError
from astrio.flows.reading.read import Loaded, read_file

Snapshot = frozenset[tuple[Path, int, int]]


def webhook_sources(folder: Path, tell: Callable[[str], object]) -> dict[str, WebhookSource]:
    """Return the sources by name: the saved name, or the integration's if it is written out.

    Args:
        folder: its files, and those of its `integrations/`, are read.
        tell: shows a warning.

    Raises:
        ConfigurationError: a file has a mistake, or a source is not saved.
        ServerUnavailableError: a saved source is named, and no Prefect server answers.
    """
    found: dict[str, WebhookSource] = {}
    mistakes: list[str] = []
    reader.forget()
    for file in folder_files(folder):
        try:
            loaded = read_file(file)
        except IntegrationFileError as error:
            mistakes += [each.located(file) for each in error.mistakes if not each.warning]
            continue
        if not isinstance(loaded, Loaded):
            continue
        for warning in loaded.warnings:
            tell(warning.located(file))
        _add(found, loaded.integration)
    if mistakes:
        raise ConfigurationError(
            "\n".join(["The webhook sources cannot be read:", *mistakes]),
            advice="Mend the files; `astrio check` lists what is left.",
        )
    return found


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
