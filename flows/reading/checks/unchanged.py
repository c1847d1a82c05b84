"""`push.unchanged: skip`: what it cannot be used with."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from astrio.flows.integration import Integration
from astrio.flows.reading.mistakes import Mistake, Place
from astrio.flows.reading.node import Node
from astrio.flows.unchanged_pages import obstacles


def check(root: Node) -> list[Mistake]:
    """Return what may change a record's row while the record itself does not change."""
    push = root.at("push")
    entry = push.entry("unchanged") if push else None
    if entry is None or entry.node.value != "skip":
        return []
    try:
        integration = Integration.model_validate(root.plain())
    except ValidationError:
        return []  # other mistakes come first
    found = obstacles(integration)
    return [
        Mistake.at(
            _place(root, each.path) or entry.place,
            "push.unchanged",
            f"`unchanged: skip` is not possible here: {each.words}",
        )
        for each in found
    ]


def _place(root: Node, path: Sequence[str | int]) -> Place | None:
    """Return the place of what a path leads to, None where the file does not have it."""
    node, place = root, None
    for key in path:
        if isinstance(key, int):
            items = node.items or ()
            if key >= len(items):
                return place
            node = items[key]
            place = node.place
            continue
        entry = node.entry(key)
        if entry is None:
            return None
        node, place = entry.node, entry.place
    return place
