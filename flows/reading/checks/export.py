"""`source.export`: expressions, paths, and what it does not go with."""

from __future__ import annotations

from collections.abc import Iterator

from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node
from astrio.flows.reading.wording import problem_words
from astrio.tasks.mapping.check import check_expression, check_template
from astrio.tasks.paths import PathSyntaxError, compile_path

_STEPS = ("poll", "result", "cleanup")
_PATHS = (("error",), ("download",), *((step, "url") for step in _STEPS))
_WINDOWED = (("incremental", "step"), ("paginate", "cap"))


def check(root: Node) -> Iterator[Mistake]:
    """Yield expressions, placeholders and paths that cannot be read, and keys that exclude it."""
    source = root.at("source")
    export = source.at("export") if source else None
    if source is None or export is None or export.entries is None:
        return
    for key in ("done", "failed"):
        node = export.at(key)
        if node and isinstance(node.value, str):
            for problem in check_expression(node.value):
                place = node.place_of(problem.offset or 0)
                yield Mistake.at(place, f"source.export.{key}", problem_words(problem, node))
    yield from _placeholders(root, source, export)
    for keys in _PATHS:
        yield from _path(export, keys)
    for parent, key in _WINDOWED:
        below = source.at(parent)
        entry = below.entry(key) if below else None
        if entry and entry.node.value is not None:
            words = f"`{key}` cuts a source into windows, which does not go with `export`"
            yield Mistake.at(entry.place, f"source.{parent}.{key}", words)


def _placeholders(root: Node, source: Node, export: Node) -> Iterator[Mistake]:
    variables = root.at("vars")
    known = {*((variables.entries if variables else None) or {}), "timestamp", "job"}
    known |= {"parent"} if source.at("parent") else set()
    for step in _STEPS:
        below = export.at(step)
        for path, node in below.scalars(f"source.export.{step}") if below else ():
            for problem in check_template(node.value, known):
                place = node.place_of(problem.offset or 0)
                yield Mistake.at(place, path, problem_words(problem, node))


def _path(export: Node, keys: tuple[str, ...]) -> Iterator[Mistake]:
    node = export.at(*keys)
    if node is None or not isinstance(node.value, str):
        return
    try:
        compile_path(node.value)
    except PathSyntaxError as error:
        path = ".".join(("source.export", *keys))
        words = f"`{path}` is no path: {error.reason}"
        yield Mistake.at(node.place_of(error.offset), path, words)
