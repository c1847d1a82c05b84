"""See a whole sync: a bundled shop API into SQLite, what changed, and its webhooks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from astrio.deployments.cli.output import say, show
from astrio.deployments.running import quieten_prefect
from astrio.deployments.server import prefect_server

app = typer.Typer()


@app.command()
def demo(
    folder: Annotated[
        Path, typer.Option("--dir", help="Where to put the demo's files and database.")
    ] = Path("astrio-demo"),
) -> None:
    """See a whole sync: a bundled shop API into SQLite, what changed, and its webhooks.

    Starts a small shop API on loopback, syncs its 5,000 orders, then 37 changed ones; receives its
    signed webhooks; sends an event to two receivers, one of them dead; then syncs Prefect's own run
    history. Shows the reports, the quarantine, the dead letter and the next steps.
    """
    quieten_prefect()
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    for database in ("orders.db", "prefect_history.db"):
        Path(database).unlink(missing_ok=True)
    with prefect_server(say) as url:
        from astrio.deployments.demo.narrative import Demo, events, history, letters, orders

        acts = Demo(Path(), bar=True)
        orders(acts)
        events(acts, url)
        letters(acts)
        history(acts, url)
    _next_steps(folder)


def _next_steps(folder: Path) -> None:
    steps = {
        f"cd {folder}": "the demo's files and databases",
        "astrio status": "what has run, and what is quarantined",
        "astrio quarantine list shop-orders": "every rejected record, and why",
        "astrio events list": "every webhook, and what became of it",
        "astrio deliveries list": "every event that was sent, and how it was answered",
        "astrio init my-project": "begin your own",
    }
    show("\nNext steps")
    for command, purpose in steps.items():
        show(f"  {command:<38}{purpose}")
