"""The command line, `astrio`. Each module here that defines `app`, a Typer, is one command.

Only the command that is called gets imported; the others' names and help come from reading their
source, so that `astrio --help` and `astrio check` never wait for Prefect or SQLAlchemy.
"""

from __future__ import annotations

import ast
import gc
import importlib
import io
import os
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from astrio.deployments.cli.output import reporting, results_alone, say, show
from astrio.deployments.reaching import reaching_saved
from astrio.tasks.collecting import rare_collections, starting


class _Flags(NamedTuple):
    as_json: bool
    debug: bool


class _Commands(TyperGroup):
    """The group of all commands, each imported only when it is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, summary in _found():
            self.add_command(TyperCommand(name, help=summary))

    def main(self, args: Sequence[str] | None = None, *rest: Any, **settings: Any) -> Any:
        words = list(sys.argv[1:] if args is None else args)
        flags = _Flags("--json" in words, "--debug" in words)
        kept = [word for word in words if word != "--debug"]
        return super().main(kept, *rest, obj=flags, **settings)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] in self.commands:
            command = typer.main.get_command(_imported(f"{__name__}.{args[0]}").app)
            _keep_results_alone(command)
            self.add_command(command, args[0])
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        with reporting(as_json=ctx.obj.as_json, debug=ctx.obj.debug), reaching_saved(say):
            return super().invoke(ctx)


def _imported(name: str) -> ModuleType:
    """Import a module; what that makes stays, and is never searched for cycles."""
    if name in sys.modules:
        return sys.modules[name]
    with starting():
        module = importlib.import_module(name)
        gc.freeze()
    return module


def _keep_results_alone(command: Any) -> None:
    """Let the functions of a command and of those below it run with `results_alone`; not --help."""
    if command.callback is not None:
        command.callback = results_alone()(command.callback)
    for below in getattr(command, "commands", {}).values():
        _keep_results_alone(below)


def _found() -> Iterator[tuple[str, str]]:
    """Yield (name, one line of help) of each module here that defines `app`."""
    for info in pkgutil.iter_modules(__path__):
        source = Path(__path__[0], f"{info.name}.py")
        if source.exists():
            tree = ast.parse(source.read_text(encoding="utf-8"))
            if any(_defines_app(statement) for statement in tree.body):
                yield info.name, (ast.get_docstring(tree) or "").partition("\n")[0]


def _defines_app(statement: ast.stmt) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return any(isinstance(target, ast.Name) and target.id == "app" for target in targets)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        try:
            show(f"astrio {version('astrio')}")
        except PackageNotFoundError:
            show("astrio, run from a checkout that is not installed")
        raise typer.Exit


@app.callback()
def astrio(
    show_version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
    debug: bool = typer.Option(
        False, "--debug", help="Show tracebacks; works after every command too."
    ),
) -> None:
    """Connect an application to any API: one small file becomes one Prefect flow."""


def main() -> None:
    """Run the command line (the `astrio` script)."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    with rare_collections():  # what is imported stays, and is no garbage
        try:
            app(prog_name="astrio")
        finally:
            gc.freeze()  # the process ends: Python would search all there is several times
