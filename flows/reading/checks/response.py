"""`source.response`: its expressions and paths, and keys that belong to one format."""

from __future__ import annotations

from collections.abc import Iterator

from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node
from astrio.flows.reading.wording import problem_words
from astrio.tasks.mapping.check import check_expression
from astrio.tasks.paths import PathSyntaxError, compile_path

_EXPRESSIONS = ("success", "retry", "unauthorized", "failed")
_PATHS = ("error", "failed_message")
_OF_TABLES = ("delimiter", "header", "skip")


def check(root: Node) -> Iterator[Mistake]:
    """Yield expressions and paths that cannot be read, and keys that would have no effect."""
    response = root.at("source", "response")
    if response is None or response.entries is None:
        return
    for key in _EXPRESSIONS:
        node = response.at(key)
        for problem in check_expression(node.value) if node and _is_text(node) else ():
            assert node is not None
            place = node.place_of(problem.offset or 0)
            found = Mistake.at(place, f"source.response.{key}", problem_words(problem, node))
            yield found.within(node.value, problem.offset)
    for key in _PATHS:
        node = response.at(key)
        try:
            compile_path(node.value if node and _is_text(node) else "")
        except PathSyntaxError as error:
            assert node is not None
            path = f"source.response.{key}"
            words = f"`{path}` is no path: {error.reason}"
            yield Mistake.at(node.place_of(error.offset), path, words)
    yield from _without_effect(root, response)


def _without_effect(root: Node, response: Node) -> Iterator[Mistake]:
    kind, records = response.text("format") or "auto", root.at("source", "records")
    for key in _OF_TABLES:
        entry = response.entry(key)
        if entry and kind in ("json", "jsonl", "xml"):
            words = f"`{key}` belongs to `format: csv` or `tsv`, not to `{kind}`"
            yield Mistake.at(entry.place, f"source.response.{key}", words)
    if kind in ("csv", "tsv") and records and str(records.value) not in ("", "$", "$[*]"):
        words = f"`format: {kind}` gives a list of records: leave `records` out"
        yield Mistake.at(records.place, "source.records", words)


def _is_text(node: Node) -> bool:
    return isinstance(node.value, str)
