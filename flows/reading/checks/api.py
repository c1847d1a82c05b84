"""`push.to: {api: …}`: placeholders, expressions and paths, and what goes together."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node
from astrio.flows.reading.wording import problem_words
from astrio.tasks.mapping.check import check_expression, check_template
from astrio.tasks.paths import PathSyntaxError, compile_path
from astrio.tasks.settings import BODIES

_FILLED = ("path", "params", "headers", *BODIES, "content_type")
_EXPRESSIONS = (
    ("lookup", "found"),
    ("items", "ok"),
    *(("response", key) for key in ("success", "retry", "unauthorized")),
)
_PATHS = (
    *(("items", key) for key in ("path", "index", "key", "sent_key", "message")),
    ("response", "error"),
)
_OF_ONE = frozenset({"record", "idempotency_key"})
_OF_BATCH = frozenset({"records", "idempotency_key"})


def check(root: Node) -> Iterator[Mistake]:
    """Yield what is wrong with what is sent, and with how outcomes are told."""
    to = root.at("push", "to")
    if to is None or to.entry("api") is None:
        return
    yield from _placeholders(root, to)
    for keys in _EXPRESSIONS:
        node = to.at(*keys)
        for problem in check_expression(node.value) if node and _is_text(node) else ():
            assert node is not None
            place = node.place_of(problem.offset or 0)
            found = Mistake.at(place, ".".join(("push.to", *keys)), problem_words(problem, node))
            yield found.within(node.value, problem.offset)
    for keys in _PATHS:
        yield from _path(to, keys)
    update = to.entry("update")
    if update and root.text("push", "mode") != "upsert":
        words = "`update` is for records that were sent before: give `mode: upsert` and `key`"
        yield Mistake.at(update.place, "push.to.update", words)


def _placeholders(root: Node, to: Node) -> Iterator[Mistake]:
    variables, batch = root.at("vars"), to.entry("batch")
    always = {*((variables.entries if variables else None) or {}), "timestamp"}
    of_record = _of_record(root, always)
    sent_once = always | _OF_BATCH if batch else of_record
    yield from _templates(to, "request", sent_once)
    for step in ("update", "lookup"):
        known = None if of_record is None else of_record | {"returned"}
        yield from _templates(to, step, known)
    item = batch.node.at("item") if batch else None
    if item:
        yield from _told("push.to.batch.item", item, of_record)
    for key in ("base_url", "headers"):
        if below := to.at("api", key):
            yield from _told(f"push.to.api.{key}", below, always)


def _of_record(root: Node, always: Collection[str]) -> set[str] | None:
    """Return what may be named for one record: after a mapping its targets, else anything."""
    mapping = root.at("map")
    if mapping is None or mapping.entries is None:
        return None
    return {target.partition(".")[0] for target in mapping.entries} | {*always} | _OF_ONE


def _templates(to: Node, step: str, known: Collection[str] | None) -> Iterator[Mistake]:
    for key in _FILLED:
        if below := to.at(step, key):
            yield from _told(f"push.to.{step}.{key}", below, known)


def _told(path: str, below: Node, known: Collection[str] | None) -> Iterator[Mistake]:
    for where, node in below.scalars(path):
        for problem in check_template(node.value, known):
            place = node.place_of(problem.offset or 0)
            found = Mistake.at(place, where, problem_words(problem, node))
            yield found.within(node.value, problem.offset) if _is_text(node) else found


def _path(to: Node, keys: tuple[str, ...]) -> Iterator[Mistake]:
    node = to.at(*keys)
    try:
        compile_path(node.value if node and isinstance(node.value, str) else "")
    except PathSyntaxError as error:
        assert node is not None
        path = ".".join(("push.to", *keys))
        yield Mistake.at(node.place_of(error.offset), path, f"`{path}` is no path: {error.reason}")


def _is_text(node: Node) -> bool:
    return isinstance(node.value, str)
