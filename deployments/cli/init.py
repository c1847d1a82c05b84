"""Write an example integration to begin with, and what editors and git need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from astrio.deployments.cli.files import write_new
from astrio.deployments.cli.output import show
from astrio.flows.schema import integration_schema
from astrio.flows.templates import SCHEMA_FILE, SCHEMA_HINT, template

app = typer.Typer()
EXAMPLE = "shop-orders"
_IGNORED = "# What astrio's runs write here\n*.db\n*.db-*\n"


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Made if needed.")] = Path(),
) -> None:
    """Write an example integration to begin with, and what editors and git need.

    Nothing that exists is overwritten.
    """
    example = write_new(folder / f"{EXAMPLE}.yaml", SCHEMA_HINT + template(EXAMPLE))
    written = [example]
    schema = json.dumps(integration_schema(), indent=2) + "\n"
    for path, text in ((folder / SCHEMA_FILE, schema), (folder / ".gitignore", _IGNORED)):
        if not path.exists():
            written.append(write_new(path, text))
    show("Wrote " + ", ".join(map(str, written)) + ".")
    show(_next_steps(folder))


def _next_steps(folder: Path) -> str:
    steps = {
        f"head -3 {EXAMPLE}.yaml": "how to start the demo shop that it reads",
        "astrio check": "every mistake, with line and column",
        f"astrio preview {EXAMPLE}.yaml": "the first records, mapped; nothing is written",
        f"astrio run {EXAMPLE}.yaml": "the whole sync, as a Prefect flow",
        "astrio status": "what has run",
        "astrio new NAME": "begin your own",
    }
    if folder != Path():
        steps = {f"cd {folder}": "", **steps}
    return "\nNext steps\n" + "\n".join(f"  {do:34}{why}".rstrip() for do, why in steps.items())
