"""Events: emit them to targets; list, show, replay and purge those that webhooks brought."""

from __future__ import annotations

import typer

from astrio.deployments.cli.event_emitting import emit
from astrio.deployments.cli.event_inbox import list_, purge, replay, show_
from astrio.deployments.cli.event_sending import send

app = typer.Typer(
    help="Events: emit them to targets; list, show, replay and purge those that webhooks brought.",
    no_args_is_help=True,
)
app.command("emit")(emit)
app.command("send")(send)
app.command("list")(list_)
app.command("show")(show_)
app.command("replay")(replay)
app.command("purge")(purge)
