"""From a file to an integration, a trigger or an action, or to everything wrong with the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.settings import modules_of
from astrio.flows.integration import Integration
from astrio.flows.reading import checks
from astrio.flows.reading.actions import as_written, canonical_action, is_action
from astrio.flows.reading.destinations import one_by_one, with_destinations
from astrio.flows.reading.document import Document, read_document
from astrio.flows.reading.mistakes import IntegrationFileError, Mistake, Place
from astrio.flows.reading.spellings import canonical
from astrio.flows.reading.triggers import canonical_trigger, is_trigger
from astrio.flows.reading.validation import validate
from astrio.flows.trigger import TriggerFile, proposed_name
from astrio.tasks.actions.settings import ActionFile

_NOWHERE: Final = "https://unread.invalid"


@dataclass(frozen=True, slots=True)
class Loaded:
    """An integration as read, and what its author should know of."""

    integration: Integration
    warnings: list[Mistake] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LoadedTrigger:
    """A trigger as read, and what its author should know of."""

    trigger: TriggerFile
    warnings: list[Mistake] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LoadedAction:
    """An action as read, and what its author should know of."""

    action: ActionFile
    warnings: list[Mistake] = field(default_factory=list)


Model = Integration | TriggerFile | ActionFile


def read_integration(path: Path) -> Loaded:
    """Read an integration file.

    Raises:
        IntegrationFileError: it has mistakes; the error carries all of them.
        ConfigurationError: there is no such file, it cannot be opened, or it holds a trigger or
            an action.
    """
    loaded = read_file(path)
    if isinstance(loaded, LoadedTrigger):
        raise ConfigurationError(
            f"{path} is a trigger, not an integration: it sends events that are emitted.",
            advice="`astrio up` serves it; `astrio events emit NAME --data JSON` emits an event.",
        )
    if isinstance(loaded, LoadedAction):
        raise ConfigurationError(
            f"{path} is an action, not an integration: it sends one request for one record.",
            advice=f"`astrio call {path} --data JSON` sends it.",
        )
    return loaded


def read_action(path: Path) -> LoadedAction:
    """Read a file that holds an action.

    Raises:
        IntegrationFileError: it has mistakes; the error carries all of them.
        ConfigurationError: there is no such file, it cannot be opened, or it holds no action.
    """
    loaded = read_file(path)
    if not isinstance(loaded, LoadedAction):
        raise ConfigurationError(
            f"{path} is no action.",
            advice="An action is {method, url, headers, body}, alone in a file or in `push.to`.",
        )
    return loaded


def read_file(path: Path) -> Loaded | LoadedTrigger | LoadedAction:
    """Read a file of any kind; raises as `read_integration`."""
    model, mistakes = _judge(read_document(path), path)
    if model is None or not all(mistake.warning for mistake in mistakes):
        raise IntegrationFileError(path, mistakes)
    if isinstance(model, TriggerFile):
        return LoadedTrigger(model, mistakes)
    if isinstance(model, ActionFile):
        return LoadedAction(model, mistakes)
    return Loaded(model, mistakes)


def read_destination(path: Path) -> Integration | None:
    """Return as much of an integration as its state needs, whatever else is wrong with the file.

    What it reads from is made up. None: name or destination cannot be told either.
    """
    root = read_document(path).root
    plain = with_destinations(canonical(root)).plain() if root is not None else None
    if not isinstance(plain, dict):
        return None
    kept = {key: plain[key] for key in ("name", "push", "quarantine") if key in plain}
    try:
        return Integration.model_validate(kept | {"source": {"api": {"base_url": _NOWHERE}}})
    except ValidationError:
        return None


def check_file(path: Path) -> list[Mistake]:
    """Return everything wrong with a file, warnings included, in the order of the file.

    Raises:
        ConfigurationError: there is no such file, or it cannot be opened.
    """
    return _judge(read_document(path), path)[1]


def _judge(document: Document, path: Path) -> tuple[Model | None, list[Mistake]]:
    if document.root is None:
        return None, document.mistakes
    written = root = canonical(document.root)
    model: type[Model] = Integration
    if is_trigger(root):
        root, model = canonical_trigger(root, proposed_name(path)), TriggerFile
    elif is_action(root):
        root, model = canonical(canonical_action(root, proposed_name(path))), ActionFile
    else:
        root = with_destinations(root)
    found, mistakes = validate(root, model)
    for each in one_by_one(root) if model is Integration else (root,):
        for module in modules_of(checks):
            mistakes += module.check(each)
    if model is ActionFile:
        mistakes = as_written(written, mistakes)
    return found, _merged(document.mistakes, mistakes)


def _merged(form: list[Mistake], content: list[Mistake]) -> list[Mistake]:
    """Sort all mistakes; what the form already explains at a place is not said again there."""
    said = {Place(mistake.line, mistake.column) for mistake in form if not mistake.warning}
    return sorted({*form, *(each for each in content if (each.line, each.column) not in said)})
