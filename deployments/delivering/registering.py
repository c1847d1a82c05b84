"""The triggers of files, put into the ledger, where every deliverer finds them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from astrio.deployments.deploying.collecting import Collected, FoundTrigger
from astrio.flows.trigger import TriggerFile
from astrio.tasks.webhooks.outbox.trigger import Trigger
from astrio.tasks.webhooks.outbox.triggers import (
    Registration,
    forget_triggers,
    known_triggers,
    register_triggers,
)


def register(collected: Collected, roots: Sequence[Path]) -> list[str]:
    """Bring the ledger's triggers up to date with the files.

    Args:
        collected: what the files hold; a file with a mistake keeps its last good trigger.
        roots: the folders and files that were read; triggers of theirs that are gone are
            forgotten, those of other places stay.

    Returns:
        The names of the triggers that are gone.

    Raises:
        AstrioError: the ledger cannot be written.
    """
    gone = _gone(collected, roots)
    if collected.triggers:
        register_triggers(map(_registration, collected.triggers), time.time())
    if gone:
        forget_triggers(gone)
    return gone


def _registration(found: FoundTrigger) -> Registration:
    return Registration(trigger_of(found.trigger), dict(found.trigger.targets()), str(found.file))


def trigger_of(file: TriggerFile) -> Trigger:
    """Return the trigger of a file."""
    return Trigger(
        name=file.name,
        on=file.on,
        filter=file.filter,
        payload=file.payload,
        map=file.map,
        order_by=file.order_by,
        targets=tuple(name for name, _ in file.targets()),
    )


def _gone(collected: Collected, roots: Sequence[Path]) -> list[str]:
    here = {each.trigger.name for each in collected.triggers}
    kept = {file.resolve() for file in collected.mistakes}
    return [
        trigger.name
        for trigger, file in known_triggers()
        if file and trigger.name not in here and Path(file) not in kept
        if _is_in(Path(file), roots)
    ]


def _is_in(file: Path, roots: Iterable[Path]) -> bool:
    places = {root.resolve() for root in roots}
    return file in places or bool(places & {file.parent, file.parent.parent})
