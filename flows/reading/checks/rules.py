"""`validate`: the rules."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node
from astrio.tasks.rules.check import check_rules
from astrio.tasks.rules.settings import RuleSettings


def check(root: Node) -> Iterator[Mistake]:
    """Yield what is wrong with each entry that is well formed."""
    rules, mapping = root.at("validate"), root.at("map")
    targets = list(mapping.entries) if mapping and mapping.entries is not None else None
    for index, node in enumerate((rules.items if rules else None) or ()):
        try:
            rule = RuleSettings.model_validate(node.plain(), by_alias=True, by_name=False)
        except ValidationError:
            continue
        for found in check_rules([rule], targets):
            entry = node.entry(found.key) if found.key else None
            value = entry.node if entry else node
            if found.item is not None and value.items:
                value = value.items[found.item]
            in_text = found.offset is not None and isinstance(value.value, str)
            place = value.place_of(found.offset or 0) if in_text else value.place
            path = f"validate[{index}]" + (f".{found.key}" if entry else "")
            mistake = Mistake.at(place, path, found.message.rstrip("."))
            yield mistake.within(value.value, found.offset)
