"""JSONPaths and dotted paths into the API's answer."""

from __future__ import annotations

from collections.abc import Iterator

from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node
from astrio.tasks.paths import PathSyntaxError, compile_path

_PATHS = (
    ("source", "records"),
    ("source", "parent", "records"),
    ("source", "parent", "key"),
    ("source", "paginate", "next"),
    ("source", "paginate", "total"),
    ("source", "paginate", "has_more"),
    ("source", "incremental", "cursor"),
    ("source", "incremental", "token"),
)


def check(root: Node) -> Iterator[Mistake]:
    """Yield each path that cannot be compiled."""
    for keys in _PATHS:
        node = root.at(*keys)
        if node is None or not isinstance(node.value, str):
            continue
        try:
            compile_path(node.value)
        except PathSyntaxError as error:
            path = ".".join(keys)
            words = f"`{path}` is no path: {error.reason}"
            yield Mistake.at(node.place_of(error.offset), path, words)
