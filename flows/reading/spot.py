"""From a pydantic error's location to the place in the file."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from astrio.flows.reading.known import Known
from astrio.flows.reading.mistakes import Place
from astrio.flows.reading.node import Node


@dataclass(frozen=True, slots=True)
class Spot:
    """Where an error is.

    Attributes:
        path: the dotted path as the file writes it; a missing key's own name is not part of it.
        key_place: where the last key stands.
        node: the value found there.
        known: the models that may stand there.
        above: the models of the mapping that holds the last key.
        missing: what of the location the file does not have: a missing key.
    """

    path: str
    key_place: Place
    node: Node
    known: Known
    above: Known
    missing: str = ""

    @property
    def schema_path(self) -> str:
        """The path without the positions in lists."""
        return re.sub(r"\[\d+\]", "[]", self.path)

    @property
    def secret(self) -> bool:
        """Whether the value may be a secret, and so must not be repeated."""
        path = self.path.lower()
        named = re.search(r"auth|header|url|secret|token|password", path) is not None
        return named and not path.endswith(".type")


def locate(root: Node, location: tuple[int | str, ...], top: Known | None = None) -> Spot:
    """Follow a pydantic location; the tags and class names of unions in it are no keys.

    Args:
        root: the file.
        location: the keys and positions.
        top: what may stand at the top of the file, an integration's keys if not given.
    """
    spot = Spot("", root.place, root, top or Known.top(), Known(()))
    for step in location:
        spot = _item(spot, step) if isinstance(step, int) else _key(spot, step)
    return spot


def _item(spot: Spot, index: int) -> Spot:
    node = (spot.node.items or ())[index]
    return replace(spot, path=f"{spot.path}[{index}]", node=node, key_place=node.place)


def _key(spot: Spot, key: str) -> Spot:
    entry = (spot.node.entries or {}).get(key)
    if entry is None or key in spot.known.tags:
        return replace(spot, known=spot.known.narrowed(key), missing=key)
    path = f"{spot.path}.{key}" if spot.path else key
    return Spot(path, entry.place, entry.node, spot.known.below(key), spot.known)
