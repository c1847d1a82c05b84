"""From a file to an `Integration`, or to everything that is wrong with the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from astrio.blocks.settings import modules_of
from astrio.flows.integration import Integration
from astrio.flows.reading import checks
from astrio.flows.reading.document import Document, read_document
from astrio.flows.reading.mistakes import IntegrationFileError, Mistake, Place
from astrio.flows.reading.spellings import canonical
from astrio.flows.reading.validation import validate


@dataclass(frozen=True, slots=True)
class Loaded:
    """An integration as read, and what its author should know of."""

    integration: Integration
    warnings: list[Mistake] = field(default_factory=list)


def read_integration(path: Path) -> Loaded:
    """Read an integration file.

    Raises:
        IntegrationFileError: it has mistakes; the error carries all of them.
        ConfigurationError: there is no such file, or it cannot be opened.
    """
    integration, mistakes = _judge(read_document(path))
    if integration is None or not all(mistake.warning for mistake in mistakes):
        raise IntegrationFileError(path, mistakes)
    return Loaded(integration, mistakes)


def check_file(path: Path) -> list[Mistake]:
    """Return everything wrong with a file, warnings included, in the order of the file.

    Raises:
        ConfigurationError: there is no such file, or it cannot be opened.
    """
    return _judge(read_document(path))[1]


def _judge(document: Document) -> tuple[Integration | None, list[Mistake]]:
    root = document.root and canonical(document.root)
    if root is None:
        return None, document.mistakes
    integration, mistakes = validate(root)
    for module in modules_of(checks):
        mistakes += module.check(root)
    return integration, _merged(document.mistakes, mistakes)


def _merged(form: list[Mistake], content: list[Mistake]) -> list[Mistake]:
    """Sort all mistakes; what the form already explains at a place is not said again there."""
    said = {Place(mistake.line, mistake.column) for mistake in form if not mistake.warning}
    return sorted({*form, *(each for each in content if (each.line, each.column) not in said)})
