"""Begin an integration from a template."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from astrio.blocks.errors import ConfigurationError
from astrio.deployments.cli.files import write_new
from astrio.deployments.cli.output import show
from astrio.flows.templates import SCHEMA_FILE, SCHEMA_HINT, template, template_names

app = typer.Typer()
_NAME = re.compile(r"[a-z0-9_-]{1,64}")


@app.command()
def new(
    name: Annotated[
        str | None, typer.Argument(help="The integration's name; none: list the templates.")
    ] = None,
    base: Annotated[str, typer.Option("--template", "-t", help="Begin from this one.")] = "rest",
) -> None:
    """Begin an integration from a template: writes NAME.yaml here.

    Without NAME, lists the templates.
    """
    if name is None:
        for each, description in template_names().items():
            show(f"{each:20} {description}")
        return
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name} cannot be an integration's name.", advice="Use a-z, 0-9, _ and -, 64 at most."
        )
    hint = SCHEMA_HINT if Path(SCHEMA_FILE).exists() else ""
    path = write_new(Path(f"{name}.yaml"), hint + template(base, name))
    show(f"Wrote {path}. Fill it in, then: astrio check {path}")
