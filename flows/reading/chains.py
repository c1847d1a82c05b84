"""Integrations that hand their records over to one another: who takes them, and no circles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from astrio.flows.integration import Integration
from astrio.flows.reading.destinations import one_by_one, with_destinations
from astrio.flows.reading.document import read_document
from astrio.flows.reading.known import closest
from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node
from astrio.flows.reading.spellings import canonical
from astrio.tasks.destinations.targets.integration import IntegrationTarget

_KEYS = ("push", "to", "integration")


def receivers(integration: Integration) -> list[str]:
    """Return the names of the integrations that take its records over."""
    places = [push.to for push in integration.push.all]
    return [place.integration for place in places if isinstance(place, IntegrationTarget)]


def chain_mistakes(
    file: Path, integration: Integration, others: Mapping[str, Integration]
) -> Iterator[Mistake]:
    """Yield what is wrong with the edges that begin or end at an integration.

    Args:
        file: where it is written.
        integration: as read.
        others: every integration of its folder by name, itself included.
    """
    names = receivers(integration)
    if not names and integration.source.event is None:
        return
    root = read_document(file).root
    if root is None:
        return
    root = with_destinations(canonical(root))
    for alone in one_by_one(root):
        if (node := alone.at(*_KEYS)) is not None and node.value in names:
            words = _wrong(integration.name, str(node.value), others)
            if words:
                yield Mistake.at(node.place, ".".join(_KEYS), words)
    yield from _unheard(root, integration, others)


def _wrong(sender: str, receiver: str, others: Mapping[str, Integration]) -> str:
    """Return why an edge cannot work, or an empty text."""
    taker = others.get(receiver)
    if taker is None:
        meant = closest(receiver, others)
        hint = f"; did you mean `{meant}`?" if meant else ""
        return f"there is no integration `{receiver}` beside this file{hint}"
    if circle := _circle(sender, receiver, others):
        return f"records would go round in a circle: {' to '.join(circle)}"
    if sender not in taker.source.senders:
        return (
            f"`{receiver}` does not take the records over: it needs `source: {{event: {sender}}}`"
        )
    return ""


def _circle(sender: str, receiver: str, others: Mapping[str, Integration]) -> list[str]:
    """Return the way from an integration back to itself, or an empty list."""
    ways = [[sender, receiver]]
    seen = set[str]()
    while ways:
        way = ways.pop()
        if way[-1] == sender:
            return way
        if way[-1] in seen or way[-1] not in others:
            continue
        seen.add(way[-1])
        ways += [[*way, name] for name in receivers(others[way[-1]])]
    return []


def _unheard(
    root: Node, integration: Integration, others: Mapping[str, Integration]
) -> Iterator[Mistake]:
    """Yield the names in `source.event` of integrations that hand nothing over to this one."""
    node = root.at("source", "event")
    for each in () if node is None else node.items or (node,):
        sender = others.get(str(each.value))
        if sender is None or integration.name not in receivers(sender):
            words = (
                f"no integration `{each.value}` beside this file hands its records over to this "
            )
            words += f"one: it needs `push: {{to: {{integration: {integration.name}}}}}`"
            yield Mistake.at(each.place, "source.event", words, warning=True)
