"""Add, list, test and remove saved connections: Prefect blocks that integrations name."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.store import reader
from astrio.blocks.store.door import Door
from astrio.deployments.cli.output import clean, print_json, say, show
from astrio.deployments.connections.finding import (
    DEFAULT_KIND,
    described,
    every,
    kind_called,
    the_one,
    users_of,
)
from astrio.deployments.running import quieten_prefect
from astrio.deployments.server_process import ServerNote
from astrio.deployments.server_safety import server_warnings
from astrio.tasks.ledger.home import astrio_home

app = typer.Typer(
    help="Add, list, test and remove saved connections: Prefect blocks that integrations name.",
    no_args_is_help=True,
)
Name = Annotated[str, typer.Argument(help="Name of the saved connection.")]
Kind = Annotated[str | None, typer.Argument(help="Its kind, where several have the name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command("add")
def add_(
    name: Annotated[str, typer.Argument(help="Name to save it under: a-z, 0-9 and -.")],
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KIND] FIELD=VALUE...", help="Kind: rest_api if left out."),
    ] = None,
    from_env: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=VARIABLE", help="Save a variable's value, as it is now."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Change these fields of what is saved.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Save a connection, an authentication or a secret as a Prefect block.

    KIND is rest_api, database, webhook_source, webhook_target, secret, or an authentication:
    bearer, api_key, basic, jwt, oauth2_client_credentials, ... (a wrong one lists them all).
    A secret never stands on the command line: `FIELD=-` asks for it (or reads a line of
    standard input), `--from-env FIELD=VARIABLE` takes a variable's value, and
    `FIELD='${env:VARIABLE}'` saves only the reference. `auth=NAME` names a saved authentication.
    """
    from astrio.deployments.connections.adding import add

    given = list(words or [])
    kind = given.pop(0) if given and "=" not in given[0] else DEFAULT_KIND
    model = kind_called(kind)
    with _saved() as door:
        done = add(door, name, model, given, from_env or [], ask=_ask, replace=replace)
        found = reader.find(door, name, model)
        assert found is not None
        told = described(model, found)
        if as_json:
            print_json({**told, "action": done})
        else:
            say(f"The {model.title} `{name}` is {done} {_warned_place(door)}.")
            if told["auth"] == "none":
                say("It sends no credentials; auth=NAME adds a saved authentication.")


def _warned_place(door: Door) -> str:
    """Return where the door leads to, after warnings of a server that others have started."""
    address, own = door.address.rstrip("/"), ServerNote.read(astrio_home())
    if own is not None and own.url == address:
        return f"on the Prefect server of {astrio_home()}"
    for warning in server_warnings(address, os.environ):
        say(warning)
    return f"on the Prefect server {address}"


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List what is saved, without any secret."""
    with _saved() as door:
        rows = [described(model, document) for model, document in every(door)]
    if as_json:
        print_json({"connections": rows})
    elif not rows:
        say("Nothing is saved yet: astrio connections add NAME base_url=https://…")
    else:
        show(_table(rows))


@app.command("test")
def try_(
    name: Name,
    kind: Kind = None,
    path: Annotated[str, typer.Option(help="Of an API: what to ask for, with GET.")] = "",
    as_json: AsJson = False,
) -> None:
    """Try a saved connection out. Exit code 0: it works; 1: it does not; 2: there is none."""
    from astrio.deployments.connections.trying import try_out

    with _saved() as door:
        model, document = the_one(door, name, kind)
        told = asyncio.run(try_out(document, path))
    if as_json:
        print_json({"name": name, "kind": model.kind(), "ok": True, "result": told})
    else:
        show(f"{name}: {told}")


@app.command("authorize")
def authorize_(
    name: Name,
    kind: Kind = None,
    paste: Annotated[
        bool, typer.Option("--paste", help="Paste the address back: no browser on this machine.")
    ] = False,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
    as_json: AsJson = False,
) -> None:
    """Let the owner of an account agree (OAuth 2), and go on with what waited for it."""
    from astrio.deployments.connections.authorizing import Talk, authorize

    with _saved() as door:
        _, document = the_one(door, name, kind)
        talk = Talk(say, _ask_openly, paste=paste, browser=browser)
        agreed = asyncio.run(authorize(document, talk))
    if agreed.missing:
        say(f"warning: not granted: {', '.join(agreed.missing)}")
    if as_json:
        print_json({"name": name, "ok": True, "resumed": list(agreed.paused)})
    else:
        resumed = f"; {len(agreed.paused)} paused schedule(s) go on" if agreed.paused else ""
        show(f"{name}: authorised{resumed}")


@app.command("remove")
def remove_(
    name: Name,
    kind: Kind = None,
    force: Annotated[
        bool, typer.Option("--force", help="Even if another saved connection uses it.")
    ] = False,
) -> None:
    """Remove a saved connection; one that another refers to is kept, unless --force is given."""
    with _saved() as door:
        model, document = the_one(door, name, kind)
        users = users_of(door, model, name)
        if users and not force:
            raise ConfigurationError(
                f"`{name}` is used by {', '.join(users)}.",
                advice="Give these another auth first, or add --force.",
            )
        from astrio.blocks.saved.saving import delete

        delete(document)
    say(f"The {model.title} `{name}` is removed.")


@contextmanager
def _saved() -> Iterator[Door]:
    """Open the way to what is saved, on the server that runs use too."""
    quieten_prefect()
    from astrio.deployments.server import prefect_server

    with prefect_server(say), reader.open_door() as door:
        yield door


def _ask_openly(what: str) -> str:
    if sys.stdin.isatty():
        return str(typer.prompt(what, err=True))
    return sys.stdin.readline().strip()


def _ask(field: str) -> str:
    if sys.stdin.isatty():
        return str(typer.prompt(field, hide_input=True, err=True))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise ConfigurationError(
            f"`{field}` is asked for, and standard input holds nothing.",
            advice=f"Pipe it in, or give --from-env {field}=VARIABLE.",
        )
    return line


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table("Name", "Kind", "URL", "Auth", "Problem", box=SIMPLE_HEAD)
    for row in rows:
        table.add_row(*(clean(row[name] or "") for name in row))
    return table
