"""Send one request for one record, as an action file says; show the answer."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

import typer

from astrio.blocks.errors import AstrioError
from astrio.deployments.cli.data import read_data
from astrio.deployments.cli.files import find_integration
from astrio.deployments.cli.output import print_json, say, show, tell, waiting
from astrio.flows.reading.read import read_action
from astrio.tasks.actions.calling import Called, CallFailedError, attempt, excerpt, preview
from astrio.tasks.actions.settings import ActionFile

app = typer.Typer()


@app.command()
def call(
    file: Annotated[str, typer.Argument(help="File with an action, or the name of one.")],
    data: Annotated[
        str, typer.Option(metavar="JSON", help="The record; @FILE, or - for standard input.")
    ] = "{}",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the request with secrets masked; send nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Send one request for one record, as an action file says; show the answer.

    The record goes through the file's mapping and rules first; one that breaks a rule is not sent.
    Exit code 0: the API has accepted it; 1: it has not, or whether it has is unknown.
    """
    path = find_integration(file)
    loaded = read_action(path)
    for warning in loaded.warnings:
        say(warning.located(path))
    record = read_data(data, '{"user": {"id": 7}}')
    if dry_run:
        _preview(loaded.action, record, as_json=as_json)
        return
    try:
        with waiting("Sending …"):
            called = asyncio.run(attempt(loaded.action, record))
    except CallFailedError as failure:
        _failed(failure, as_json=as_json)
        raise typer.Exit(failure.error.exit_code) from None
    except AstrioError as error:
        _failed(CallFailedError(error, None, None), as_json=as_json)
        raise typer.Exit(error.exit_code) from None
    _answered(called, as_json=as_json)


def _answered(called: Called, *, as_json: bool) -> None:
    if as_json:
        facts = {"status": called.status, "milliseconds": called.milliseconds}
        print_json({**facts, "request": called.request, "body": called.excerpt, "error": None})
        return
    show(called.request)
    show(f"  {called.status} in {called.milliseconds} ms")
    if called.content:
        show(called.excerpt)


def _failed(failure: CallFailedError, *, as_json: bool) -> None:
    error, answer = failure.error, failure.answer
    body = excerpt(answer.content) if answer else None
    if as_json:
        facts = {"status": answer.status if answer else None, "milliseconds": failure.milliseconds}
        told = {"kind": error.kind, "message": error.message, "advice": error.advice}
        print_json({**facts, "request": error.request, "body": body, "error": told})
    elif answer:
        show(f"{answer.status} in {failure.milliseconds} ms")
        if body:
            show(body)
    tell(error)


def _preview(action: ActionFile, record: Any, *, as_json: bool) -> None:
    would = preview(action, record)
    auth = getattr(action.action.auth, "type", "none")
    if as_json:
        facts = {"status": None, "milliseconds": None, "request": f"{would.method} {would.url}"}
        print_json(
            {**facts, "body": None, "error": None, "would_send": {**asdict(would), "auth": auth}}
        )
        return
    show(f"{would.method} {would.url}")
    for name, value in would.headers.items():
        show(f"{name}: {value}")
    if would.body is not None:
        show("")
        show(would.body)
    more = "" if auth == "none" else f" It would be signed by `auth` ({auth})."
    say(f"Nothing was sent.{more}")
