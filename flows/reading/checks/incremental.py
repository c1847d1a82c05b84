"""`source.incremental`: what it needs from `push`."""

from __future__ import annotations

from collections.abc import Iterator

from astrio.flows.reading.checks.files import is_file
from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Entry, Node


def check(root: Node) -> Iterator[Mistake]:
    """Yield combinations of `incremental` and `push` that would lose or double records."""
    source = root.at("source")
    entry = source.entry("incremental") if source else None
    yield from _capped(root, entry)
    if entry is None or entry.node.entries is None:
        return
    mode, key = root.text("push", "mode") or "append", root.at("push", "key")
    if mode == "replace":
        words = "`mode: replace` would delete what an incremental run does not read again"
        yield Mistake.at(entry.place, "source.incremental", words)
    lookback = None if is_file(root) else entry.node.entry("lookback")
    if lookback and lookback.node.value and mode == "append" and not (key and key.items):
        words = "`lookback` reads records again, which `mode: append` would write twice: give"
        words += " `push.key`, or use `mode: upsert`"
        yield Mistake.at(lookback.place, "source.incremental.lookback", words)


def _capped(root: Node, incremental: Entry | None) -> Iterator[Mistake]:
    """Yield a `paginate.cap` that no window can be halved for."""
    paginate = root.at("source", "paginate")
    cap = paginate.entry("cap") if paginate else None
    if cap is None or cap.node.value is None:
        return
    needed = ("start", "param", "end_param")
    missing = [key for key in needed if incremental is None or not incremental.node.entry(key)]
    if missing:
        words = f"`cap` halves windows, for which `source.incremental.{missing[0]}` is needed"
        yield Mistake.at(cap.place, "source.paginate.cap", words)
