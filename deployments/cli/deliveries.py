"""See what became of deliveries, send them again, call them off; see the targets."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from astrio.blocks.errors import ConfigurationError
from astrio.deployments.cli import delivery_targets
from astrio.deployments.cli.output import clean, print_json, say, show
from astrio.tasks.durations import parse_duration

if TYPE_CHECKING:
    from astrio.tasks.webhooks.outbox.letters import Letter, Which

app = typer.Typer(
    help="See what became of deliveries, send them again, call them off; see the targets.",
    no_args_is_help=True,
)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Ids = Annotated[
    list[str] | None,
    typer.Option("--id", help="Of a delivery or of an event; may be given several times."),
]
Given = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="The same as --id.")]
Targets = Annotated[list[str] | None, typer.Option("--target", help="Only to this target.")]
Events = Annotated[list[str] | None, typer.Option("--event", help="Only of events of this name.")]
_WORDS = "waiting, pending, claimed, delivered, dead, cancelled"
States = Annotated[list[str] | None, typer.Option("--state", help=f"Only in state: {_WORDS}.")]
Since = Annotated[str | None, typer.Option(metavar="2h", help="Only of the last 2h, 3d, ...")]
Every = Annotated[bool, typer.Option("--all", help="Every one there is.")]


@app.command("list")
def list_(  # noqa: PLR0913, PLR0917 (Typer reads options from parameters)
    target: Targets = None,
    event: Events = None,
    state: States = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List deliveries, the latest first: which event, to which target, how far it has come.

    With --json it is an array of objects.
    """
    from astrio.tasks.webhooks.outbox.letters import listed

    letters = listed(_which([], target, event, state, since), limit)
    if as_json:
        print_json([_facts(each) for each in letters])
    elif not letters:
        say("There are no such deliveries.")
    else:
        show(_table(letters))
        say("`astrio deliveries show ID` shows one with all its attempts.")


@app.command("show")
def show_(
    identity: Annotated[
        str, typer.Argument(metavar="ID", help="Of a delivery or of an event, or its beginning.")
    ],
    payload: Annotated[bool, typer.Option("--payload", help="What is sent, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a delivery, or all of an event, with every attempt: status, latency, answer."""
    from astrio.tasks.webhooks.outbox.letters import identified_letter, shown

    letters = shown(identified_letter(identity))
    if as_json:
        print_json({"deliveries": [_all_facts(each, payload=payload) for each in letters]})
        return
    if not letters:
        say("No delivery was made of it: no deliverer has looked at it yet, or nobody wanted it.")
    for letter in letters:
        _explain(letter, payload=payload)


@app.command()
def replay(  # noqa: PLR0913, PLR0917 (Typer reads options from parameters)
    given: Given = None,
    ids: Ids = None,
    target: Targets = None,
    event: Events = None,
    state: States = None,
    since: Since = None,
    every: Every = False,
    as_json: AsJson = False,
) -> None:
    """Send deliveries again: dead ones, unless ids or --state say otherwise.

    Each keeps its id, so that a receiver that has it already knows it; its timestamp and its
    signature are new.
    """
    from astrio.tasks.webhooks.outbox import letters

    named = bool(given or ids)
    _require_choice(every, given, ids, target, event, state, since)
    states: list[str] | None = state or (None if named else ["dead"])
    count = letters.replay(_which(_whole(given, ids, target), target, event, states, since))
    _tell(count, "replayed", ("begins again", "begin again"), as_json=as_json)


@app.command()
def cancel(  # noqa: PLR0913, PLR0917 (Typer reads options from parameters)
    given: Given = None,
    ids: Ids = None,
    target: Targets = None,
    event: Events = None,
    since: Since = None,
    every: Every = False,
    as_json: AsJson = False,
) -> None:
    """Call off deliveries that are not through; one that is being sent now may still arrive."""
    from astrio.tasks.webhooks.outbox import letters

    _require_choice(every, given, ids, target, event, since)
    count = letters.cancel(_which(_whole(given, ids, target), target, event, None, since))
    _tell(count, "cancelled", ("is called off", "are called off"), as_json=as_json)


def _whole(
    given: Sequence[str] | None, ids: Sequence[str] | None, targets: Sequence[str] | None
) -> list[str]:
    """Return the whole ids that are meant; refuses what is unknown, the targets too."""
    from astrio.tasks.webhooks.outbox.letters import identified_letter, require_target

    for target in targets or ():
        require_target(target)
    return [identified_letter(each) for each in (*(given or ()), *(ids or ()))]


def _tell(count: int, word: str, verbs: tuple[str, str], *, as_json: bool) -> None:
    if as_json:
        print_json({word: count})
    else:
        one, several = verbs
        say(f"1 delivery {one}." if count == 1 else f"{count} deliveries {several}.")


def _require_choice(*given: Any) -> None:
    if not any(given):
        raise ConfigurationError(
            "It is not said which deliveries.",
            advice="Give ids, --target, --event, --since; or --all.",
        )


def _which(
    ids: Sequence[str],
    targets: Sequence[str] | None,
    events: Sequence[str] | None,
    states: Sequence[str] | None,
    since: str | None,
) -> Which:
    from astrio.tasks.webhooks.outbox.letters import Which
    from astrio.tasks.webhooks.outbox.queue import State

    try:
        moment = time.time() - parse_duration(since).total_seconds() if since else None
    except ValueError as error:
        raise ConfigurationError(f"--since: {error}.") from None
    wrong = sorted(set(states or ()) - set(State))
    if wrong:
        raise ConfigurationError(f"--state: {wrong[0]!r} is none of {_WORDS}.")
    return Which(
        ids=ids,
        targets=list(targets or ()),
        events=list(events or ()),
        states=[State(each) for each in states or ()],
        since=moment,
    )


def _facts(letter: Letter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "event_id": letter.event_id,
        "event": letter.event,
        "target": letter.target,
        "trigger": letter.trigger or None,
        "state": letter.state.value,
        "order_key": letter.order_key,
        "attempts": letter.attempts,
        "attempts_in_all": letter.tried,
        "replays": letter.replays,
        "next_at": _moment(letter.next_at),
        "created_at": _moment(letter.created_at),
        "status": letter.status,
        "error": letter.error or None,
    }


def _all_facts(letter: Letter, *, payload: bool) -> dict[str, Any]:
    history = [
        {
            "at": _moment(each.at),
            "ms": each.ms,
            "status": each.status,
            "error": each.error or None,
            "answer": each.excerpt or None,
        }
        for each in letter.history
    ]
    shown = {"payload": (letter.body or b"").decode(errors="replace")} if payload else {}
    return {**_facts(letter), "history": history, **shown}


def _moment(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _table(letters: Sequence[Letter]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column("Id", no_wrap=True, min_width=max(len(each.id) for each in letters))
    for heading in ("Event", "Target", "State", "Attempts", "Emitted (UTC)", "Last answer"):
        table.add_column(heading, overflow="fold")
    for each in letters:
        emitted = (_moment(each.created_at) or "")[:19].replace("T", " ")
        last = each.error or (str(each.status) if each.status else "")
        cells = (each.id, each.event, each.target, each.state, each.attempts, emitted, last)
        table.add_row(*(clean(cell) for cell in cells))
    return table


def _explain(letter: Letter, *, payload: bool) -> None:
    show(f"{letter.id}: {letter.event} ({letter.event_id}) to {letter.target}: {letter.state}")
    if letter.error and not letter.history:
        show(f"  {letter.error}")
    for each in letter.history:
        answered = each.error or f"The receiver answered {each.status}."
        show(f"  {(_moment(each.at) or '')[:19]}Z  {each.ms} ms  {answered}")
        for line in each.excerpt.splitlines()[:5]:
            show(f"      {line}")
    if letter.next_at:
        show(f"  Next attempt: {(_moment(letter.next_at) or '')[:19]}Z")
    if payload and letter.body is not None:
        show(f"  {letter.body.decode(errors='replace')}")


app.command("targets")(delivery_targets.targets)
app.command("enable")(delivery_targets.enable)
app.command("disable")(delivery_targets.disable)
app.command("rotate")(delivery_targets.rotate)
app.command("test")(delivery_targets.send_test_)
app.command("page")(delivery_targets.page)
