"""`astrio events list|show|replay|purge`: what has arrived, and what became of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from astrio.blocks.errors import ConfigurationError
from astrio.deployments.cli.output import clean, print_json, results, say, show
from astrio.tasks.durations import parse_duration

if TYPE_CHECKING:
    from astrio.tasks.webhooks.inbox.event import Event
    from astrio.tasks.webhooks.inbox.looking import Which

_WORDS = "received, started, done, failed, dead"
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Source = Annotated[str | None, typer.Option(help="Only of this webhook source.")]
States = Annotated[list[str] | None, typer.Option("--state", help=f"Only in state: {_WORDS}.")]
Moment = "2h|TIME"
Since = Annotated[
    str | None, typer.Option(metavar=Moment, help="Received in the last 2h, or since a time.")
]
Until = Annotated[
    str | None, typer.Option(metavar=Moment, help="Received more than 2h ago, or before a time.")
]
Ids = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="Of events, or of deliveries.")
]


def list_(  # noqa: PLR0913, PLR0917 (Typer reads options from parameters)
    source: Source = None,
    state: States = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List events of the inbox, the latest first. With --json it is an array of objects."""
    from astrio.tasks.webhooks.inbox.looking import listed

    events = listed(_which([], source, state, since, until), limit)
    if as_json:
        print_json([facts(each) for each in events])
    elif not events:
        say("There are no such events.")
    else:
        show(_table(events))
        say("`astrio events show ID` shows one with its headers and body.")


def show_(
    identity: Annotated[
        str, typer.Argument(metavar="ID", help="Of an event, or of a delivery; or its beginning.")
    ],
    body: Annotated[
        bool, typer.Option("--body", help="Only the raw body, e.g. for a file of samples.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show an event: its way, its headers (secrets masked) and its body."""
    from astrio.tasks.webhooks.inbox.looking import identified_event, shown

    events = shown(identified_event(identity))
    if body:
        results().buffer.write(events[-1].body or b"")
        results().flush()
        return
    whole = [facts(each) | _content(each) for each in events]
    if as_json:
        print_json(whole[0] if len(whole) == 1 else whole)
        return
    for each in whole:
        for name, value in each.items():
            if name == "headers":
                for header, text in value:
                    show(f"{'':14}{header}: {text}")
            elif value not in (None, "", []):
                show(f"{name:<14}{value}")


def replay(  # noqa: PLR0913, PLR0917 (Typer reads options from parameters)
    ids: Ids = None,
    source: Source = None,
    state: States = None,
    since: Since = None,
    until: Until = None,
    every: Annotated[bool, typer.Option("--all", help="Every one there is.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let events be taken again by their integrations: one, many, or a range.

    They keep their ids and bodies. What is at work right now is left alone.
    """
    from astrio.tasks.webhooks.inbox.tending import replay as again

    whole = _whole(ids)
    _require_bodies(whole)
    which = _which(whole, source, state, since, until)
    _require_choice(which, every)
    _done(again(which), "replayed", as_json)


def _whole(ids: Sequence[str] | None) -> list[str]:
    """Return the whole ids that are meant; refuses unknown ones."""
    from astrio.tasks.webhooks.inbox.looking import identified_event

    return [identified_event(each) for each in ids or ()]


def _require_bodies(ids: Sequence[str]) -> None:
    """Refuse events that were purged.

    Raises:
        ConfigurationError: nothing was replayed.
    """
    from astrio.tasks.webhooks.inbox.looking import purged

    if gone := purged(ids):
        raise ConfigurationError(
            f"Nothing was replayed: the body of {', '.join(gone)} was purged.",
            advice="Leave it out; only the vendor can send it again.",
        )


def purge(  # noqa: PLR0913, PLR0917 (Typer reads options from parameters)
    ids: Ids = None,
    source: Source = None,
    state: States = None,
    since: Since = None,
    until: Until = None,
    every: Annotated[bool, typer.Option("--all", help="Every one that is done or dead.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase headers and bodies of events that are done or dead.

    For seven days a trace is left, so that a delivery which comes again is still known.
    """
    from astrio.tasks.webhooks.inbox.tending import purge as erase

    which = _which(_whole(ids), source, state, since, until)
    _require_choice(which, every)
    if not yes and sys.stdin.isatty():
        typer.confirm("Erase the bodies of these events for good?", abort=True, err=True)
    _done(erase(which), "purged", as_json)


def facts(event: Event) -> dict[str, Any]:
    """Return what may be shown of an event to everybody."""
    return {
        "id": event.id,
        "source": event.source,
        "delivery_id": event.delivery_id,
        "state": event.state.value,
        "received_at": _time(event.received_at),
        "changed_at": _time(event.changed_at),
        "due_at": _time(event.due_at),
        "attempts": event.attempts,
        "replays": event.replays,
        "flow_run": event.flow_run,
        "done_by": list(event.done_by),
        "error": event.error,
        "size": event.size,
    }


def _content(event: Event) -> dict[str, Any]:
    body = None if event.body is None else event.body.decode("utf-8", "backslashreplace")
    return {"headers": [list(pair) for pair in event.headers], "body": body}


def _require_choice(which: Which, every: bool) -> None:
    if not every and not which.conditions():
        raise ConfigurationError(
            "Which events?", advice="Give ids, --source, --state, --since, --until, or --all."
        )


def _done(count: int, what: str, as_json: bool) -> None:
    if as_json:
        print_json({what: count})
    else:
        say(f"{count} event{'s' * (count != 1)} {what}.")


def _which(
    ids: Sequence[str],
    source: str | None,
    states: list[str] | None,
    since: str | None,
    until: str | None,
) -> Which:
    from astrio.tasks.webhooks.inbox.event import State
    from astrio.tasks.webhooks.inbox.looking import Which

    try:
        wanted = [State(each) for each in states or []]
    except ValueError as error:
        raise ConfigurationError(f"--state: {error}.", advice=f"Give {_WORDS}.") from None
    return Which(ids, source, wanted, _moment("--since", since), _moment("--until", until))


def _moment(option: str, text: str | None) -> float | None:
    """Read `2h` (ago) or an ISO 8601 time, which is in UTC unless it says otherwise."""
    if text is None:
        return None
    try:
        return time.time() - parse_duration(text).total_seconds()
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            f"{option}: {text!r} is no duration and no time.",
            advice="Write 2h, 3d, or 2026-11-28T10:00:00Z.",
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _time(moment: float | None) -> str | None:
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def _table(events: Sequence[Event]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column("Id", no_wrap=True, min_width=max(len(each.id) for each in events))
    for heading in ("Source", "Delivery", "State", "Received", "Attempts", "Error"):
        table.add_column(heading, overflow="fold")
    for each in events:
        values = (
            each.id,
            each.source,
            each.delivery_id or "",
            each.state.value,
            _time(each.received_at),
            each.attempts,
            each.error.partition("\n")[0][:60],
        )
        table.add_row(*map(clean, values))
    return table
