"""Which files to deploy, and what keeps them from it. Free of Prefect, so mistakes come at once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.literals import SHOW_SECRETS
from astrio.deployments.cli.files import files_in, find_integration
from astrio.deployments.cli.nearby import beside
from astrio.flows.connecting import webhook_name
from astrio.flows.integration import Integration
from astrio.flows.reading.actions import is_action
from astrio.flows.reading.chains import chain_mistakes, receivers
from astrio.flows.reading.destinations import one_by_one, with_destinations
from astrio.flows.reading.document import read_document
from astrio.flows.reading.mistakes import IntegrationFileError, Mistake
from astrio.flows.reading.node import Node
from astrio.flows.reading.read import LoadedAction, LoadedTrigger, read_file
from astrio.flows.reading.spellings import canonical
from astrio.flows.reading.triggers import is_trigger
from astrio.flows.trigger import TriggerFile
from astrio.tasks.destinations.targets.file import LocalFileTarget
from astrio.tasks.python.folder import VARIABLE, connectors_folder, modules_in
from astrio.tasks.python.references import PLACES as REFERENCES

LEDGER_VARIABLE: Final = "ASTRIO_LEDGER_URL"
_RELATIVE_FILE = re.compile(r"(sqlite|duckdb)(\+\w+)?:///(?![/:$?]).")


@dataclass(frozen=True, slots=True)
class Found:
    """An integration that can be deployed, and its file (absolute)."""

    file: Path
    integration: Integration


@dataclass(frozen=True, slots=True)
class FoundTrigger:
    """A trigger that can be served, and its file (absolute)."""

    file: Path
    trigger: TriggerFile


@dataclass(frozen=True, slots=True)
class Collected:
    """What the files hold.

    Attributes:
        found: what can be deployed, one for each name.
        fed: what webhooks feed: events run it, so that it has no deployment.
        triggers: what can be served beside, one for each name.
        mistakes: `FILE:LINE:COLUMN: message` by file, for files that cannot.
        warnings: the same form; these keep nothing from being deployed.
    """

    found: list[Found] = field(default_factory=list)
    fed: list[Found] = field(default_factory=list)
    triggers: list[FoundTrigger] = field(default_factory=list)
    mistakes: dict[Path, list[str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def require_all(self) -> None:
        """Refuse to deploy anything while a file has a mistake.

        Raises:
            ConfigurationError: it lists every mistake of every file.
        """
        if self.mistakes:
            lines = [line for lines in self.mistakes.values() for line in lines]
            count = f"{len(lines)} mistake{'s' * (len(lines) != 1)}"
            raise ConfigurationError(
                "\n".join([f"Nothing was deployed: {count}.", *lines]),
                advice="Mend the files; `astrio check` lists what is left.",
            )


def folder_files(folder: Path) -> list[Path]:
    """Return the integration files of a folder: those in it and in its `integrations/`."""
    return files_in([folder, folder / "integrations"])


def named_files(named: Sequence[str]) -> list[Path]:
    """Return the files that are meant: folders, files or names; none: the current folder.

    Raises:
        ConfigurationError: there is no such file, or none at all.
    """
    files: list[Path] = []
    for name in named or ["."]:
        path = Path(name)
        files += folder_files(path) if path.is_dir() else [find_integration(name)]
    if not files:
        raise ConfigurationError(
            f"There is no integration file in {' or '.join(named) or 'this folder'}.",
            advice="`astrio init` writes an example.",
        )
    return list(dict.fromkeys(files))


def collect(files: Iterable[Path], *, pooled: bool = False) -> Collected:
    """Read every file, whatever is wrong with some of them.

    Args:
        files: integration files.
        pooled: the runs will take place wherever a worker is, so no path may be relative.
    """
    collected = Collected()
    owners: dict[str, Path] = {}
    for file in files:
        try:
            found = _read(file, collected.warnings, pooled=pooled)
        except IntegrationFileError as error:
            told = [each.located(file) for each in error.mistakes if not each.warning]
            collected.mistakes[file] = told
            continue
        except ConfigurationError as error:
            collected.mistakes[file] = [f"{file}:1:1: {error.message}"]
            continue
        if found is None:
            continue
        held = found.trigger if isinstance(found, FoundTrigger) else found.integration
        owner = owners.setdefault(held.name, file)
        if owner != file:
            collected.mistakes[file] = [same_name(file, owner, held.name).located(file)]
        elif isinstance(found, FoundTrigger):
            collected.triggers.append(found)
        elif webhook_name(found.integration) is not None:
            collected.fed.append(found)
        else:
            collected.found.append(found)
    return collected


def _read(file: Path, warnings: list[str], *, pooled: bool) -> Found | FoundTrigger | None:
    """Read a file; None: it holds an action, which is called and not deployed."""
    loaded = read_file(file)
    if isinstance(loaded, LoadedAction):
        return None
    root = _root(file)
    model = loaded.trigger if isinstance(loaded, LoadedTrigger) else loaded.integration
    mistakes = [*_literals(model, root)]
    if isinstance(model, Integration):
        chained = list(chain_mistakes(file, model, beside(file, model)))
        mistakes += [each for each in chained if not each.warning]
        loaded.warnings.extend(each for each in chained if each.warning)
        loaded.warnings.extend(_own_ledger(model, root) if pooled else ())
    if pooled and isinstance(model, Integration):
        mistakes += _relative_paths(model, root)
    if mistakes:
        raise IntegrationFileError(file, mistakes)
    if pooled:
        loaded.warnings.extend(_own_modules(root))
    warnings += (warning.located(file) for warning in loaded.warnings)
    if isinstance(model, TriggerFile):
        return FoundTrigger(file.resolve(), model)
    return Found(file.resolve(), model)


def _root(file: Path) -> Node:
    root = read_document(file).root
    assert root is not None  # it has just been read
    root = canonical(root)
    return root if is_trigger(root) or is_action(root) else with_destinations(root)


def _literals(integration: Integration | TriggerFile, root: Node) -> Iterator[Mistake]:
    """Yield the secrets that are written out: what differs once secrets are masked."""
    masked = integration.model_dump(mode="json", by_alias=True)
    plain = integration.model_dump(mode="json", by_alias=True, context={SHOW_SECRETS: True})
    for path in _differing(masked, plain):
        words = f"a secret is written out in `{'.'.join(path)}`: deployed runs take it from the "
        words += "environment: use ${env:NAME} and set the variable"
        yield _at(root, path, words)


def _differing(one: Any, other: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() & other.keys():
            yield from _differing(one[key], other[key], (*path, key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield from _differing(*pair, (*path, str(place)))
    elif one != other:
        yield path


def _relative_paths(integration: Integration, root: Node) -> Iterator[Mistake]:
    for push, alone in zip(integration.push.all, one_by_one(root), strict=True):
        to, words = push.to, "a worker runs in a folder of its own: give an absolute path"
        if isinstance(to, LocalFileTarget) and not Path(to.file).is_absolute():
            yield _at(alone, ("push", "to", "file"), words)
        if relative := _RELATIVE_FILE.match(getattr(to, "url", "")):
            yield _at(alone, ("push", "to", "url"), f"{words} ({relative[1]}:////…)")


def _own_ledger(integration: Integration, root: Node) -> Iterator[Mistake]:
    """Yield where records are handed over in a ledger that other machines do not see."""
    if receivers(integration) and not os.environ.get(LEDGER_VARIABLE):
        words = "records are handed over in the ledger: workers on several machines share it only "
        words += f"if {LEDGER_VARIABLE} names a PostgreSQL"
        place = _at(root, ("push",), words)
        yield Mistake(place.line, place.column, place.path, place.message, warning=True)


def _own_modules(root: Node) -> Iterator[Mistake]:
    """Yield the references to modules that workers do not have without further ado."""
    if Path(os.environ.get(VARIABLE, "")).is_absolute():
        return
    own = dict(modules_in(connectors_folder()))
    named = {
        _at(alone, keys, alone.text(*keys) or "")
        for alone in one_by_one(root)
        for keys in REFERENCES
    }
    for place in sorted(named):
        name = place.message.partition(":")[0]
        if name.partition(".")[0] in own:
            words = f"workers need `{name}` too: install it there as a package, or let {VARIABLE} "
            words += "name its folder"
            yield Mistake(place.line, place.column, place.path, words, warning=True)


def _at(root: Node, path: tuple[str, ...], words: str) -> Mistake:
    """Place a mistake at the deepest node of the path that the file has."""
    node = root
    for key in path:
        items = dict(enumerate(node.items or ()))
        below = items.get(int(key)) if key.isdecimal() and items else node.at(key)
        if below is None:
            break
        node = below
    return Mistake.at(node.place, ".".join(path), words)


def same_name(file: Path, owner: Path, name: str) -> Mistake:
    """Return the mistake of a file whose name belongs to another one."""
    node = _root(file).at("name")
    words = f"`{name}` is the name of {owner} too: integrations are told apart by it"
    place = node.place if node else _root(file).place
    return Mistake.at(place, "name", words)
