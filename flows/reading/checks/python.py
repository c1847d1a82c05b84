"""References to the user's Python: they are imported, so that a wrong one is told before a run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node
from astrio.tasks.python.importing import PythonError
from astrio.tasks.python.references import PATTERN, Target, plain_function, resolve

Check = Callable[[Target], Any]


def check(root: Node) -> Iterator[Mistake]:
    """Yield references that cannot be imported, or stand for what cannot be used there."""
    yield from _reference(root, ("transform",), lambda target: plain_function(target, "transform"))


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
