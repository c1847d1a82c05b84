"""`push.mode: history`: what it needs, and which names it keeps for itself."""

from __future__ import annotations

from collections.abc import Iterator

from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node
from astrio.tasks.columns import column_name
from astrio.tasks.destinations.vanishing import VALID_FROM, VALID_TO


def check(root: Node) -> Iterator[Mistake]:
    """Yield what a table of versions cannot be made of."""
    if root.text("push", "mode") != "history":
        return
    push, key = root.entry("push"), root.at("push", "key")
    if push and not (key and key.items):
        words = "`mode: history` needs `key`: the targets that identify a row, e.g. [id]"
        yield Mistake.at(push.place, "push", words)
    targets = root.at("map")
    for target, entry in ((targets.entries if targets else None) or {}).items():
        if column_name(target).lower() in (VALID_FROM, VALID_TO):
            words = f"with `mode: history`, the columns {VALID_FROM} and {VALID_TO} tell when a"
            words += " version was valid: give the target another name"
            yield Mistake.at(entry.place, f"map.{target}", words)
