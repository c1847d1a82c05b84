"""Keys that only watch, accepted before they do anything."""

from __future__ import annotations

from collections.abc import Iterator

from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node

_LATER = {"alerts": "watch `astrio status` until then"}


def check(root: Node) -> Iterator[Mistake]:
    """Warn of keys that have no effect yet."""
    for key, until_then in _LATER.items():
        entry = root.entry(key)
        if entry and entry.node.plain() is not None:
            words = f"`{key}` is not active yet in this version: {until_then}"
            yield Mistake.at(entry.place, key, words, warning=True)
