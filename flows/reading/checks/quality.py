"""`quality`: entries about fields that there are."""

from __future__ import annotations

from collections.abc import Iterator

from astrio.flows.reading.known import closest
from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node


def check(root: Node) -> Iterator[Mistake]:
    """Yield fields that `map` does not have, and bounds that nothing lies between."""
    entries, mapping = root.at("quality"), root.at("map")
    targets = list(mapping.entries) if mapping and mapping.entries is not None else None
    for index, node in enumerate((entries.items if entries else None) or ()):
        field = node.at("field")
        if field and targets is not None and str(field.value) not in targets:
            meant = closest(str(field.value), targets)
            hint = f"; did you mean `{meant}`?" if meant else ""
            words = f"`{field.value}` is not mapped{hint}"
            yield Mistake.at(field.place, f"quality[{index}].field", words)
        yield from _crossed(node, f"quality[{index}]")


def _crossed(node: Node, path: str) -> Iterator[Mistake]:
    for what in ("", "_length", "_distinct"):
        low, high = node.at(f"min{what}"), node.at(f"max{what}")
        if low is None or high is None:
            continue
        least, most = low.value, high.value
        numbers = isinstance(least, int | float) and isinstance(most, int | float)
        if numbers and least > most:
            words = f"`max{what}` is less than `min{what}`"
            yield Mistake.at(high.place, f"{path}.max{what}", words)
