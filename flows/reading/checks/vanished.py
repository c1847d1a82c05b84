"""`push.vanished` and `push.deleted`: what they need, and which runs can tell."""

from __future__ import annotations

from collections.abc import Iterator

from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Entry, Node
from astrio.flows.reading.wording import problem_words
from astrio.tasks.mapping.check import check_expression


def check(root: Node) -> Iterator[Mistake]:
    """Yield what leaves it open which rows the source has no more."""
    push = root.at("push")
    mode = root.text("push", "mode") or "append"
    to = root.at("push", "to")
    if to and to.entries and not to.entry("url"):
        return  # no SQL table: the settings themselves refuse it
    for name in ("vanished", "deleted"):
        entry = push.entry(name) if push else None
        if entry is None or _fate(entry.node, name) == "keep":
            continue
        if words := _wrong_mode(name, mode) or _wrong_fate(name, mode, entry.node):
            yield Mistake.at(entry.place, f"push.{name}", words)
        elif name == "vanished":
            yield from _unread(root, entry)
    yield from _expression(root)


def _fate(node: Node, name: str) -> str:
    """Return what becomes of the rows; a text alone is the fate of those that have vanished."""
    if node.entries is None:
        return str(node.value) if name == "vanished" else ""
    rows = node.entry("rows")
    return str(rows.node.value) if rows else ("keep" if name == "vanished" else "")


def _wrong_mode(name: str, mode: str) -> str:
    if mode == "replace":
        return f"`mode: replace` leaves out what the source has no more: take `{name}` away"
    if mode not in ("upsert", "history"):
        return f"`{name}` tells rows apart by their key: give `mode: upsert` and `key`"
    return ""


def _wrong_fate(name: str, mode: str, node: Node) -> str:
    fate = _fate(node, name)
    if mode == "history" and fate in ("mark", "delete"):
        return f"`mode: history` keeps every version: write `close` in the place of `{fate}`"
    if mode == "upsert" and fate == "close":
        return "`close` ends a version, which rows have with `mode: history` only: mark or delete"
    return ""


def _unread(root: Node, entry: Entry) -> Iterator[Mistake]:
    path = "push.vanished"
    if root.at("source", "webhook"):
        words = "events tell of single records, so nothing can be said to have vanished: let"
        words += " `push.deleted` say which of them tell of a deletion"
        yield Mistake.at(entry.place, path, words)
    incremental = root.at("source", "incremental")
    if incremental is None or incremental.entries is None:
        return
    for bound in ("start", "end_param"):
        if incremental.entry(bound):
            words = f"no run reads everything, as `source.incremental.{bound}` bounds each: leave"
            words += " one of the two out"
            yield Mistake.at(entry.place, path, words)
            return
    words = "an incremental run reads what has changed: only runs with --full-refresh find out"
    words += " what has vanished"
    yield Mistake.at(entry.place, path, words, warning=True)


def _expression(root: Node) -> Iterator[Mistake]:
    deleted = root.at("push", "deleted")
    when = root.at("push", "deleted", "when") if deleted and deleted.entries else deleted
    if when is None or not isinstance(when.value, str):
        return
    for problem in check_expression(when.value):
        found = Mistake.at(
            when.place_of(problem.offset or 0), "push.deleted", problem_words(problem, when)
        )
        yield found.within(when.value, problem.offset)
