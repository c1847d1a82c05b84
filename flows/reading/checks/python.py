"""References to the user's Python: they are imported, so that a wrong one is told before a run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node
from astrio.tasks.python.importing import PythonError
from astrio.tasks.python.references import (
    PATTERN,
    Target,
    plain_function,
    push_function,
    resolve,
    source_function,
)
from astrio.tasks.python.rules import rules_of

# What says how an API is asked, and how the bounds of a window are written in requests.
_OF_REQUESTS = (
    "request", "response", "records", "allow_missing", "paginate", "parent", "export",
)  # fmt: skip
_OF_BOUNDS = (
    "param", "end_param", "in", "format", "step", "token", "newest_first", "expired_status",
    "range_start", "range_end", "granularity",
)  # fmt: skip
Check = Callable[[Target], Any]


def check(root: Node) -> Iterator[Mistake]:
    """Yield references that cannot be imported, or stand for what cannot be used there."""
    yield from _reference(root, ("transform",), lambda target: plain_function(target, "transform"))
    yield from _reference(root, ("validate",), rules_of)
    yield from _reference(root, ("push", "to", "python"), push_function)
    if root.text("source", "python"):
        yield from _reference(root, ("source", "python"), source_function)
        if (source := root.at("source")) and (webhook := source.entry("webhook")):
            words = "`python` takes the place of `webhook`: keep one of the two"
            yield Mistake.at(webhook.place, "source.webhook", words)
        yield from _without_effect(root, ("source",), _OF_REQUESTS)
        yield from _without_effect(root, ("source", "incremental"), _OF_BOUNDS)


def _without_effect(root: Node, keys: tuple[str, ...], names: tuple[str, ...]) -> Iterator[Mistake]:
    node = root.at(*keys)
    for name in names:
        if node is not None and (entry := node.entry(name)):
            path = ".".join((*keys, name))
            words = f"`{name}` belongs to requests, which a source in Python makes itself"
            yield Mistake.at(entry.place, path, words)


def _reference(root: Node, keys: tuple[str, ...], usable: Check) -> Iterator[Mistake]:
    node, path = root.at(*keys), ".".join(keys)
    if node is None or not re.fullmatch(PATTERN, str(node.value)):
        return
    try:
        target = resolve(str(node.value))
        usable(target)
    except PythonError as error:
        yield Mistake.at(node.place, path, error.message.rstrip("."))
        return
    if target.prints:
        words = f"`{target.reference.partition(':')[0]}` prints while it is imported: let only its "
        words += "functions do anything"
        yield Mistake.at(node.place, path, words, warning=True)
