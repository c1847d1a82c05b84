"""The outbox in `astrio status` and `astrio deliveries targets`."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from astrio.deployments.cli.output import clean, print_json, say, show
from astrio.tasks.webhooks.outbox.stats import Fare, Outbox, outbox
from astrio.tasks.webhooks.outbox.targets import TargetRow


def outbox_facts() -> dict[str, Any] | None:
    """Return the outbox for `status --json`, None if nothing was ever registered or emitted."""
    found = outbox(time.time())
    if found is None or not (found.targets or found.fares or found.unrouted):
        return None
    return {
        "unrouted": found.unrouted,
        "targets": [_target_facts(each, found) for each in found.targets],
    }


def targets_shown(*, as_json: bool) -> None:
    """Print the targets."""
    facts = outbox_facts()
    if as_json:
        print_json(facts or {"unrouted": 0, "targets": []})
    elif facts is None:
        say("No target is registered yet: `astrio up` registers those of a folder's triggers.")
    else:
        show(targets_table(facts))
        for line in remarks(facts):
            say(line)


def targets_table(facts: dict[str, Any]) -> Table:
    """Return the targets as a table."""
    table = Table(box=SIMPLE_HEAD)
    for heading in ("Target", "State", "Waiting", "Oldest (UTC)", "Dead", "Success", "p50", "p99"):
        table.add_column(heading, overflow="fold")
    for each in facts["targets"]:
        rate, oldest = each["success_rate"], each["oldest_waiting"]
        table.add_row(
            clean(each["target"]),
            each["state"],
            str(each["waiting"]),
            (oldest or "")[:19].replace("T", " "),
            str(each["dead"]),
            "" if rate is None else f"{rate:.1%}",
            "" if each["p50_ms"] is None else f"{each['p50_ms']} ms",
            "" if each["p99_ms"] is None else f"{each['p99_ms']} ms",
        )
    return table


def remarks(facts: dict[str, Any]) -> list[str]:
    """Return what is to be done."""
    said = []
    for each in facts["targets"]:
        if each["disabled"]:
            said.append(f"{each['target']} is disabled: {each['disabled']}")
        elif each["held_up"]:
            said.append(f"{each['target']}: {each['held_up']}")
        if each["dead"]:
            name = each["target"]
            said.append(f"{name}: `astrio deliveries list --state dead --target {name}`")
    if count := facts["unrouted"]:
        waiting = "1 event waits" if count == 1 else f"{count} events wait"
        said.append(f"{waiting} for a deliverer: `astrio up` starts one.")
    return said


def _target_facts(row: TargetRow, found: Outbox) -> dict[str, Any]:
    fares = [each for each in found.fares if each.target == row.id]
    attempts = sum(each.attempts for each in fares)
    oldest = min((each.oldest for each in fares if each.oldest), default=None)
    busiest = max(fares, key=lambda each: each.attempts, default=None)
    held_up = found.held_up.get(row.id)
    ailing = "unusable" if held_up else "failing" if row.failures else "healthy"
    return {
        "target": row.id,
        "state": "disabled" if row.disabled else ailing,
        "disabled": row.disabled or None,
        "held_up": held_up,
        "breaker": row.breaker,
        "failures": row.failures,
        "failing_since": _moment(row.failing_since),
        "waiting": sum(each.waiting for each in fares),
        "oldest_waiting": _moment(oldest),
        "delivered": sum(each.delivered for each in fares),
        "dead": sum(each.dead for each in fares),
        "attempts": attempts,
        "success_rate": sum(each.successes for each in fares) / attempts if attempts else None,
        "p50_ms": busiest and busiest.p50_ms,
        "p95_ms": busiest and busiest.p95_ms,
        "p99_ms": busiest and busiest.p99_ms,
        "events": [_fare_facts(each) for each in fares],
    }


def _fare_facts(fare: Fare) -> dict[str, Any]:
    return {
        "event": fare.event,
        "waiting": fare.waiting,
        "oldest_waiting": _moment(fare.oldest),
        "delivered": fare.delivered,
        "dead": fare.dead,
        "attempts": fare.attempts,
        "success_rate": fare.success_rate,
        "p50_ms": fare.p50_ms,
        "p95_ms": fare.p95_ms,
        "p99_ms": fare.p99_ms,
    }


def _moment(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
