"""Stop what `astrio up` has started: its runs, its server, and nothing else."""

from __future__ import annotations

from typing import Annotated

import typer

from astrio.blocks.errors import RetryableError
from astrio.deployments.cli.output import say
from astrio.deployments.server_process import ServerNote
from astrio.deployments.serving.note import UpNote, stop_orphans, stop_up
from astrio.tasks.ledger.home import astrio_home

app = typer.Typer()


@app.command()
def down(
    patience: Annotated[
        float, typer.Option(min=1, help="Seconds that runs get to end at a chunk.")
    ] = 60.0,
) -> None:
    """Stop what `astrio up` has started: its runs, its server, and nothing else.

    Exit code 0: nothing of it runs any more; 1: it did not end in time.
    """
    home = astrio_home()
    note = UpNote.read(home)
    found = note is not None and note.runs
    if note is not None:
        if not stop_up(note, patience):
            raise RetryableError(
                f"`astrio up` (process {note.pid}) has not ended within {patience:g} s.",
                advice="Run `astrio down` again, with a longer --patience.",
            )
        found = bool(stop_orphans(note)) or found
        UpNote.forget(home)
    server = ServerNote.read(home)
    if server is not None and not server.temporary:
        found = server.runs or found
        server.stop()
        ServerNote.forget(home)
    say("Stopped." if found else f"Nothing of `astrio up` runs with {home}.")
