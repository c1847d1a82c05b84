"""The targets of `astrio deliveries`: how they fare, disabling, secrets, a test, a page."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from astrio.deployments.cli.output import print_json, results, say, show

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(metavar="TARGET", help="The target.")]


def targets(as_json: AsJson = False) -> None:
    """List the targets: how each fares, and whether it is disabled."""
    from astrio.deployments.cli.outbox_status import targets_shown

    targets_shown(as_json=as_json)


def enable(name: Name) -> None:
    """Send to a target again; what it has kept meanwhile goes out."""
    from astrio.tasks.webhooks.outbox.targets import enable

    with _writing() as connection:
        enable(connection, name)
    say(f"{name} is enabled.")


def disable(name: Name) -> None:
    """Send nothing more to a target; it keeps its events."""
    from astrio.tasks.webhooks.outbox.targets import disable, unknown

    with _writing() as connection:
        if not disable(connection, name, "Disabled on the command line.", time.time()):
            raise unknown(name)
    say(f"{name} is disabled; it keeps its events. `astrio deliveries enable {name}`")


def rotate(
    name: Name,
    keep: Annotated[int, typer.Option(min=0, max=10, help="Older secrets that still sign.")] = 1,
) -> None:
    """Give a target a new secret and print it; the old one signs beside it meanwhile.

    Give the new one to the receiver, then rotate with --keep 0 to let the old one go.
    """
    from astrio.tasks.webhooks.outbox.targets import rotate

    with _writing() as connection:
        new = rotate(connection, name, keep=keep)
    results().write(f"{new}\n")  # shown on purpose, so not masked
    say(f"Deliveries to {name} are signed with this secret" + (" and the old one." * (keep > 0)))


def send_test_(name: Name, as_json: AsJson = False) -> None:
    """Send a signed test event to a target at once, and tell how it was answered.

    Exit code 1 if it was not taken.
    """
    import asyncio

    from astrio.deployments.delivering.testing import send_test

    answer = asyncio.run(send_test(name))
    if as_json:
        facts = {"delivered": answer.delivered, "status": answer.status, "ms": answer.ms}
        print_json({**facts, "error": answer.error or None, "answer": answer.excerpt or None})
    else:
        show(answer.error or f"{name} took it: {answer.status}, {answer.ms} ms.")
    if not answer.delivered:
        raise typer.Exit(1)


def page(name: Name) -> None:
    """Print a page for the receiver: which events come, what they hold, how to verify them."""
    from astrio.deployments.delivering.receivers_page import receivers_page
    from astrio.deployments.delivering.testing import ready
    from astrio.tasks.webhooks.outbox.triggers import known_triggers

    triggers = [each for each, _ in known_triggers() if name in each.targets]
    results().write(receivers_page(ready(name), triggers))


def _writing() -> Any:
    from astrio.tasks.ledger.opening import Ledger

    return Ledger().writing()
