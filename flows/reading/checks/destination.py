"""`push`: modes, keys and table names."""

from __future__ import annotations

from collections.abc import Iterator

from astrio.flows.reading.checks.files import is_file
from astrio.flows.reading.known import closest
from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node
from astrio.tasks.columns import RESERVED, is_reserved


def check(root: Node) -> Iterator[Mistake]:
    """Yield what cannot work: an upsert without a key, a key that is not mapped."""
    push = root.entry("push")
    mode, key = root.text("push", "mode") or "append", root.at("push", "key")
    upserts = mode == "upsert" and not is_file(root)
    if push and push.node.entries is not None and upserts and not (key and key.items):
        words = "`mode: upsert` needs `key`: the targets that identify a row, e.g. [id]"
        yield Mistake.at(push.place, "push", words)
    table = root.at("push", "table")
    if table and is_reserved(str(table.value)):
        words = f"tables that begin with {RESERVED} are astrio's own: choose another name"
        yield Mistake.at(table.place, "push.table", words)
    targets = root.at("map")
    version = root.at("push", "version")
    if version and not (key and key.items) and not is_file(root):
        words = "`version` tells rows of the same key apart: give `key` and `mode: upsert`"
        yield Mistake.at(version.place, "push.version", words)
    if targets and targets.entries is not None:
        yield from _keys(key, list(targets.entries))
        if version and version.value not in targets.entries:
            yield _unmapped(version, "version", list(targets.entries))


def _keys(key: Node | None, targets: list[str]) -> Iterator[Mistake]:
    seen: set[str] = set()
    for item in (key.items if key else None) or ():
        name = str(item.value)
        if name in seen:
            yield Mistake.at(item.place, "push.key", f"`{name}` stands in `key` twice")
        elif name not in targets:
            yield _unmapped(item, "key", targets)
        seen.add(name)


def _unmapped(node: Node, setting: str, targets: list[str]) -> Mistake:
    meant = closest(str(node.value), targets)
    hint = f"; did you mean `{meant}`?" if meant else f": `{setting}` names targets of `map`"
    return Mistake.at(node.place, f"push.{setting}", f"`{node.value}` is not mapped{hint}")
