"""What every command prints: redacted, on the right stream, with the right exit code.

Results go to standard output (`show`, `print_json`), everything else to standard error (`say`,
and with `results_alone` also what a user's own function prints). No command handles errors
itself: the command group runs each one inside `reporting`.
"""

from __future__ import annotations

import json
import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from typing import Any, TextIO

import typer
from rich.console import Console, RenderableType
from rich.text import Text

from astrio.blocks.errors import AstrioError
from astrio.blocks.redaction import redact

INTERRUPTED = 130
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class _Results:
    """Where results go while a command runs; None: none does."""

    stream: TextIO | None = None


@contextmanager
def results_alone() -> Iterator[None]:
    """Keep standard output for results: what anything else prints goes to standard error."""
    before, _Results.stream = _Results.stream, results()
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _Results.stream = before


def results() -> TextIO:
    """Return the true standard output, where results go."""
    return _Results.stream or sys.stdout


class _Redacted:
    """A text stream that masks secrets in what is written to it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(redact(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def console(*, error: bool = False) -> Console:
    """Return a rich console on standard output (or error) that masks secrets."""
    stream: Any = _Redacted(sys.stderr if error else results())
    return Console(file=stream, highlight=False, soft_wrap=True)


def clean(value: object) -> str:
    r"""Return text for a terminal: secrets masked, control characters spelled out as `\xNN`."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", redact(str(value)))


def show(result: RenderableType) -> None:
    """Print a result (text, or a rich table) on standard output."""
    _print(console(), result)


def say(message: RenderableType) -> None:
    """Print progress, a hint, a warning or an error on standard error."""
    _print(console(error=True), message)


def _print(target: Console, content: RenderableType) -> None:
    if isinstance(content, str):
        content = Text(clean(content))
    target.print(content, soft_wrap=isinstance(content, Text))


def waiting(message: str) -> AbstractContextManager[object]:
    """Show that something takes its time, on a terminal's standard error, while inside."""
    return console(error=True).status(Text(clean(message)))


def print_json(value: Any, *, line: bool = False) -> None:
    """Print one JSON object on standard output: the whole result of a command with `--json`.

    A command that goes on prints one on each line.
    """
    text = json.dumps(_masked(value), indent=None if line else 2, default=str)
    results().write(text + "\n")
    results().flush()


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {str(name): _masked(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    return value


@contextmanager
def reporting(*, as_json: bool = False, debug: bool = False) -> Iterator[None]:
    """Turn whatever is raised inside into a clear message and the contract's exit code.

    With `as_json`, the error is one JSON object on standard output; with `debug`, the traceback
    follows on standard error.

    Raises:
        typer.Exit: 2 for configuration and usage, 130 for Ctrl-C, 1 for everything else.
    """
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except KeyboardInterrupt:
        _report("cancelled", "Stopped by Ctrl-C.", as_json=as_json)
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # Whoever read the output has gone; Python would fail again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), results().fileno())
        raise typer.Exit(1) from None
    except Exception as error:
        if debug:
            say(traceback.format_exc())
        raise typer.Exit(_explain(error, as_json=as_json)) from error


def tell(error: AstrioError, *, as_json: bool = False) -> None:
    """Print what is known about an error of a command that goes on; as JSON on one line."""
    if as_json:
        told = {name: getattr(error, name) for name in ("kind", "message", "advice", "request")}
        print_json({"error": told}, line=True)
    _report(error.kind, error.message, error.advice, error.request, as_json=False)


def _explain(error: Exception, *, as_json: bool) -> int:
    """Print what is known about the error, and return the exit code."""
    if isinstance(error, AstrioError):
        _report(error.kind, error.message, error.advice, error.request, as_json=as_json)
        return error.exit_code
    if callable(usage := getattr(error, "format_message", None)):
        _report("usage", str(usage()), _usage(error), as_json=as_json)
        return 2
    text = f"astrio stumbled over an error of its own: {type(error).__name__}: {error}"
    advice = "Run it again with --debug to see where, and report it."
    _report("internal", text, advice, as_json=as_json)
    return 1


def _usage(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    return f"{context.get_usage()} (--help tells more)" if context else ""


def _report(
    kind: str, message: str, advice: str = "", request: str | None = None, *, as_json: bool
) -> None:
    if as_json:
        error = {"kind": kind, "message": message, "advice": advice, "request": request}
        print_json({"error": error})
    say(Text.assemble(("Error: ", "bold red"), clean(message)))
    for line in (request and f"Request: {request}", advice):
        if line:
            say(f"  {line}")
