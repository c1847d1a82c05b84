"""The integrations beside a file: those of its folder, by their names."""

from __future__ import annotations

from pathlib import Path

from astrio.blocks.errors import AstrioError
from astrio.deployments.cli.files import files_in
from astrio.flows.integration import Integration
from astrio.flows.reading.chains import receivers
from astrio.flows.reading.read import read_integration


def beside(file: Path, integration: Integration) -> dict[str, Integration]:
    """Return the integrations of a file's folder by name, if it hands over, or takes over.

    Those with mistakes are left out: it is told of them that they are not there.
    """
    found = {integration.name: integration}
    if not receivers(integration) and integration.source.event is None:
        return found
    for path, each in _nearby(file):
        if path.resolve() != file.resolve():
            found.setdefault(each.name, each)
    return found


def find_beside(file: Path, name: str) -> tuple[Path, Integration] | None:
    """Return the integration of that name in a file's folder, and its own file."""
    return next((each for each in _nearby(file) if each[1].name == name), None)


def _nearby(file: Path) -> list[tuple[Path, Integration]]:
    folder = file.parent
    top = folder.parent if folder.name == "integrations" else folder
    found: list[tuple[Path, Integration]] = []
    for path in files_in([top, top / "integrations"]):
        try:
            found.append((path, read_integration(path).integration))
        except AstrioError:
            continue  # `check` tells of it
    return found
