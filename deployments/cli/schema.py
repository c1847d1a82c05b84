"""Print the JSON Schema that lets editors complete and check integration files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from astrio.blocks.errors import ConfigurationError
from astrio.deployments.cli.output import results, say
from astrio.flows.schema import integration_schema, trigger_schema

app = typer.Typer()


@app.command()
def schema(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it to this file instead.")
    ] = None,
    trigger: Annotated[
        bool, typer.Option("--trigger", help="Of files that send events to webhooks.")
    ] = False,
) -> None:
    """Print the JSON Schema that lets editors complete and check integration files.

    With the YAML extension of VS Code and others, begin a file with
    `# yaml-language-server: $schema=integration.schema.json`.
    """
    text = json.dumps(trigger_schema() if trigger else integration_schema(), indent=2) + "\n"
    if output is None:
        results().write(text)  # it holds no secrets, only words that look like some
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{output} cannot be written: {error.strerror}.") from error
    say(f"Wrote {output}.")
