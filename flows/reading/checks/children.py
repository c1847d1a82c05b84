"""`push.children`: tables of their own, each once, with columns that do not meet."""

from __future__ import annotations

from collections.abc import Iterator

from astrio.flows.reading.known import closest
from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Entry, Node
from astrio.tasks.columns import RESERVED, column_name, is_reserved


def check(root: Node) -> Iterator[Mistake]:
    """Yield what children cannot be kept in."""
    push = root.at("push")
    entry = push.entry("children") if push else None
    if push is None or entry is None or not entry.node.entries:
        return
    mode = root.text("push", "mode") or "append"
    if mode != "upsert":
        words = "children are kept with `mode: upsert` and `key`, by which their parents are told"
        yield Mistake.at(entry.place, "push.children", words)
    if contract := push.entry("contract"):
        words = "`contract` does not hold the tables of `children` yet: keep one of the two"
        yield Mistake.at(contract.place, "push.contract", words)
    tables = {(root.text("push", "table") or "").lower(): "push.table"}
    for field, child in entry.node.entries.items():
        yield from _mapped(root, field, child)
        yield from _table(field, child.node, tables)
        yield from _columns(root, field, child.node)


def _mapped(root: Node, field: str, child: Entry) -> Iterator[Mistake]:
    targets, key = root.at("map"), root.at("push", "key")
    path = f"push.children.{field}"
    if targets and targets.entries is not None and field not in targets.entries:
        meant = closest(field, list(targets.entries))
        hint = f"; did you mean `{meant}`?" if meant else ": `children` names targets of `map`"
        yield Mistake.at(child.place, path, f"`{field}` is not mapped{hint}")
    if field in {str(each.value) for each in (key.items if key else None) or ()}:
        words = f"`{field}` is in `push.key`: a list of children identifies no row"
        yield Mistake.at(child.place, path, words)


def _table(field: str, child: Node, tables: dict[str, str]) -> Iterator[Mistake]:
    table = child if child.entries is None else child.at("table")
    if table is None or not isinstance(table.value, str):
        return
    path = f"push.children.{field}"
    if is_reserved(table.value):
        words = f"tables that begin with {RESERVED} are astrio's own: choose another name"
        yield Mistake.at(table.place, path, words)
    earlier = tables.setdefault(table.value.lower(), path)
    if earlier != path:
        words = f"the table `{table.value}` is that of `{earlier}`: give each its own"
        yield Mistake.at(table.place, path, words)


def _columns(root: Node, field: str, child: Node) -> Iterator[Mistake]:
    parent, key = child.at("parent"), root.at("push", "key")
    path = f"push.children.{field}.parent"
    if parent is None or parent.items is None:
        return
    wanted = len((key.items if key else None) or ())
    if len(parent.items) != wanted:
        words = f"`parent` names one column for each of `push.key`, which are {wanted}"
        yield Mistake.at(parent.place, path, words)
    own = child.at("key")
    seen = {column_name(str(each.value)).lower() for each in (own.items if own else None) or ()}
    for item in parent.items:
        name = str(item.value)
        if is_reserved(name):
            words = f"columns that begin with {RESERVED} are astrio's own: choose another name"
            yield Mistake.at(item.place, path, words)
        elif column_name(name).lower() in seen:
            words = f"`{name}` would be two columns of the table: choose another name"
            yield Mistake.at(item.place, path, words)
        seen.add(column_name(name).lower())
