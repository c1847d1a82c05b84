"""Emit events to the targets that want them."""

from __future__ import annotations

import typer

from astrio.deployments.cli.event_emitting import emit

app = typer.Typer(help="Emit events to the targets that want them.", no_args_is_help=True)
app.command("emit")(emit)


@app.callback()
def events() -> None:
    """Emit events to the targets that want them."""
