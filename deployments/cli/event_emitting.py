"""`astrio events emit`: put an event into the outbox."""

from __future__ import annotations

from typing import Annotated

import typer

from astrio.deployments.cli.data import read_data
from astrio.deployments.cli.output import print_json, say, show


def emit(  # noqa: PLR0913, PLR0917 (Typer reads options from parameters)
    event: Annotated[str, typer.Argument(help="Its name, such as user.created.")],
    data: Annotated[
        str, typer.Option(metavar="JSON", help="The payload; @FILE, or - for standard input.")
    ] = "{}",
    idempotency_key: Annotated[
        str | None, typer.Option("--idempotency-key", "--key", help="Emitted again, it is one.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="The only target, whatever the triggers say.")
    ] = None,
    order_key: Annotated[
        str | None, typer.Option(help="Events of one key arrive in order.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Emit an event: it is sent, signed, to every target whose trigger names it.

    It is durable when this returns; `astrio up` delivers it, now or when it is started.
    """
    from astrio.tasks.emitting import emit
    from astrio.tasks.webhooks.outbox.triggers import known_triggers

    emitted = emit(
        event, read_data(data, '{"id": 7}'), idempotency_key, target=target, order_key=order_key
    )
    wanted = sorted(
        {name for each, _ in known_triggers() if each.wants(event) for name in each.targets}
    )
    going = [target] if target else wanted
    if as_json:
        facts = {"id": emitted.id, "event": event, "new": emitted.new, "targets": going}
        print_json(facts)
        return
    show(emitted.id)
    if not emitted.new:
        say("It was emitted before with this key; nothing was added.")
    elif going:
        say(f"{event} goes to {', '.join(going)}.")
    else:
        say(f"No trigger that is registered wants {event}; `astrio up` registers a folder's.")
        say("The event is kept until a deliverer looks at it; if none wants it then, none gets it.")
