"""`astrio events send`: a sample, signed and posted as the vendor would."""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from pathlib import Path
from typing import Annotated

import typer

from astrio.blocks.errors import ConfigurationError
from astrio.deployments.cli.output import print_json, say, show

_REFUSED = 300


def send(  # noqa: PLR0913, PLR0917 (Typer reads options from parameters)
    source: Annotated[str, typer.Argument(help="Name of the webhook source.")],
    payload: Annotated[Path, typer.Argument(help="File with the body; - for standard input.")],
    folder: Annotated[
        Path, typer.Option("--dir", help="Folder with the integration files.")
    ] = Path(),
    url: Annotated[str, typer.Option(help="Where the gateway is.")] = "http://127.0.0.1:8700",
    delivery: Annotated[
        str | None, typer.Option("--id", help="Of the delivery; else one is made up.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Sign a sample as the vendor of a source would, and post it to the gateway.

    Exit code 0: it was accepted; 1: it was refused, or nothing answers.
    """
    from astrio.deployments.gateway.sampling import post, signed_sample
    from astrio.deployments.gateway.sources import webhook_sources

    sources = webhook_sources(folder, say)
    if source not in sources:
        known = ", ".join(sorted(sources)) or "none"
        raise ConfigurationError(
            f"No integration of {folder.resolve()} names a webhook source `{source}`.",
            advice=f"There are: {known}. --dir names another folder.",
        )
    body = _body(payload)
    named = delivery or f"sample_{uuid.uuid4().hex}"
    request = signed_sample(source, sources[source], body, url, named, int(time.time()))
    status, answered = asyncio.run(post(request))
    if as_json:
        print_json({"source": source, "id": named, "status": status, "answer": answered})
    else:
        show(f"{status} {answered}".rstrip())
    if status >= _REFUSED:
        say("It was refused: the gateway's log tells why.")
        raise typer.Exit(1)


def _body(payload: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(payload) == "-" else payload.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{payload} cannot be read: {error.strerror}.") from None
