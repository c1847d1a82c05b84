"""Check integration files: every mistake with its line and column; nothing is sent."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from astrio.blocks.errors import ConfigurationError
from astrio.deployments.cli.files import FOLDERS, files_in, find_integration
from astrio.deployments.cli.nearby import beside
from astrio.deployments.cli.output import print_json, say, show
from astrio.deployments.deploying.collecting import same_name
from astrio.flows.integration import Integration
from astrio.flows.reading.chains import chain_mistakes
from astrio.flows.reading.mistakes import IntegrationFileError, Mistake
from astrio.flows.reading.read import LoadedAction, LoadedTrigger, Model, read_file
from astrio.flows.trigger import TriggerFile
from astrio.tasks.actions.settings import ActionFile
from astrio.tasks.destinations.files.target import FilesTarget
from astrio.tasks.destinations.other import OtherTarget
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.targets.integration import IntegrationTarget
from astrio.tasks.destinations.targets.python import PythonTarget
from astrio.tasks.destinations.targets.webhook import WebhookDestination

app = typer.Typer()
WRONG = 2
_Result = tuple[Path, Model | None, list[Mistake]]


@app.command()
def check(
    files: Annotated[
        list[str] | None,
        typer.Argument(help="Files, names or folders; none: all in this folder and integrations/."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check integration files: every mistake with its line and column; nothing is sent.

    Prints `FILE:LINE:COLUMN: message` on standard output. Exit code 2 if there is a mistake.
    """
    results = _chained(_told_apart([(file, *_read(file)) for file in _chosen(files or [])]))
    for file, integration, mistakes in results:
        if not as_json:
            for mistake in mistakes:
                show(mistake.located(file))
                for line in mistake.pointed():
                    say(line)
        say(_summary(file, integration, mistakes))
    if as_json:
        print_json({"files": [_entry(file, mistakes) for file, _, mistakes in results]})
    if any(integration is None for _, integration, _ in results):
        raise typer.Exit(WRONG)


def _told_apart(results: list[_Result]) -> list[_Result]:
    """Return the results, with a mistake in each file whose name another one has taken."""
    owners: dict[str, Path] = {}
    told: list[_Result] = []
    for file, model, mistakes in results:
        name = "" if model is None or isinstance(model, ActionFile) else model.name
        owner = owners.setdefault(name, file) if name else file
        if owner == file:
            told.append((file, model, mistakes))
        else:
            told.append((file, None, [*mistakes, same_name(file, owner, name)]))
    return told


def _chained(results: list[_Result]) -> list[_Result]:
    """Return the results, with what is wrong with the edges between integrations."""
    told: list[_Result] = []
    for file, model, mistakes in results:
        found: list[Mistake] = []
        if isinstance(model, Integration):
            found = list(chain_mistakes(file, model, beside(file, model)))
        wrong = any(not mistake.warning for mistake in found)
        told.append((file, None if wrong else model, sorted([*mistakes, *found])))
    return told


def _chosen(named: list[str]) -> list[Path]:
    files: list[Path] = []
    for name in named:
        files += _in([Path(name)]) if Path(name).is_dir() else [find_integration(name)]
    files = files if named else _in(FOLDERS)
    if not files:
        raise ConfigurationError(
            "There is no integration file here.", advice="`astrio init` writes an example."
        )
    return list(dict.fromkeys(files))


def _in(folders: Iterable[Path]) -> list[Path]:
    """Return the files of these folders; which others are left out is told."""
    folders = [folder for folder in folders if folder.is_dir()]
    files = files_in(folders)
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if path.suffix in (".yaml", ".yml") and path.is_file() and path not in files:
                say(f"{path}: left out, as it has no `source:`, `push:` or action")
    return files


def _read(file: Path) -> tuple[Model | None, list[Mistake]]:
    try:
        loaded = read_file(file)
    except IntegrationFileError as error:
        return None, error.mistakes
    if isinstance(loaded, LoadedTrigger):
        return loaded.trigger, loaded.warnings
    if isinstance(loaded, LoadedAction):
        return loaded.action, loaded.warnings
    return loaded.integration, loaded.warnings


def _summary(file: Path, integration: Model | None, mistakes: list[Mistake]) -> str:
    errors = sum(not mistake.warning for mistake in mistakes)
    warned = _count(len(mistakes) - errors, "warning")
    if integration is None:
        return f"{file}: {_count(errors, 'mistake')}" + (f", {warned}" if warned else "")
    ended = f"; {warned})" if warned else ")"
    if isinstance(integration, TriggerFile):
        names = ", ".join(integration.on)
        return f"{file}: ok ({names} to {_count(len(integration.push.to), 'webhook')}" + ended
    if isinstance(integration, ActionFile):
        return f"{file}: ok (one {integration.action.method} for a record" + ended
    fields = _count(len(integration.map or ()), "field") or integration.transform or "every field"
    return f"{file}: ok ({fields}, {' and '.join(map(_into, integration.push.all))}" + ended


def _into(push: PushSettings) -> str:
    if isinstance(push.to, WebhookDestination):
        return "each record to a webhook"
    if isinstance(push.to, IntegrationTarget):
        return f"handed on to {push.to.integration}"
    if isinstance(push.to, PythonTarget):
        return f"to {push.to.python}"
    if isinstance(push.to, FilesTarget):
        return f"{push.mode} as {push.to.form} to {push.to.reference}"
    if isinstance(push.to, OtherTarget):
        return f"{push.mode} to {push.to.reference}"
    return f"{push.mode} into {push.table}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}" if number else ""


def _entry(file: Path, mistakes: list[Mistake]) -> dict[str, object]:
    return {
        "file": str(file),
        "ok": all(mistake.warning for mistake in mistakes),
        "mistakes": [
            {
                "line": mistake.line,
                "column": mistake.column,
                "path": mistake.path,
                "message": mistake.message,
                "warning": mistake.warning,
            }
            for mistake in mistakes
        ],
    }
