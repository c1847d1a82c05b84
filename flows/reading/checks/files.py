"""`push.to` a file: its name, its mode, and what means nothing there."""

from __future__ import annotations

from collections.abc import Iterator

from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node
from astrio.flows.reading.wording import problem_words
from astrio.tasks.destinations.files.naming import adds, problems

_NAMES = (("file",), ("s3", "key"), ("s3", "prefix"))
_RUN_ID = "put {{run_id}} into the name, or end it with / for a folder"


def check(root: Node) -> Iterator[Mistake]:
    """Yield names that cannot be filled in, and settings that are not for files."""
    named = _named(root)
    if named is None:
        return
    path, node = named
    for problem in problems(str(node.value)):
        place = node.place_of(problem.offset or 0)
        yield Mistake.at(place, path, problem_words(problem, node))
    each_run = adds(str(node.value)) or path.endswith("prefix")
    mode = root.text("push", "mode") or ("append" if each_run else "replace")
    yield from _modes(root, mode, each_run=each_run)
    yield from _sources(root, mode, node, path)
    if lookback := root.at("source", "incremental", "lookback"):
        words = "`lookback` reads records again, and files would hold them twice: leave it out"
        yield Mistake.at(lookback.place, "source.incremental.lookback", words)
    yield from _not_for_files(root)


def is_file(root: Node) -> bool:
    """Whether records go to files."""
    return any(root.at("push", "to", key) is not None for key in ("file", "s3"))


def _named(root: Node) -> tuple[str, Node] | None:
    for keys in _NAMES:
        node = root.at("push", "to", *keys)
        if node is not None and isinstance(node.value, str) and node.value:
            return ".".join(("push", "to", *keys)), node
    return None


def _modes(root: Node, mode: str, *, each_run: bool) -> Iterator[Mistake]:
    written = root.at("push", "mode")
    if written is None:
        return
    if mode == "append" and not each_run:
        words = f"`mode: append` lets each run add a file of its own: {_RUN_ID}; or write "
        words += "`mode: replace`, which writes this one anew"
        yield Mistake.at(written.place, "push.mode", words)
    if mode == "replace" and each_run:
        words = "`mode: replace` writes one file anew, and this name is another one with each "
        words += "run: use `mode: append`"
        yield Mistake.at(written.place, "push.mode", words)


def _sources(root: Node, mode: str, node: Node, path: str) -> Iterator[Mistake]:
    """Yield sources that bring only a part with each run, where the mode is not written out."""
    if mode != "replace" or root.at("push", "mode"):
        return
    if root.entry("partitions"):
        words = "one file is written anew with each run, and each partition is one: "
        yield Mistake.at(node.place, path, words + _RUN_ID)
    source = root.at("source")
    for key, why in (
        ("incremental", "an incremental run reads only what is new"),
        ("webhook", "each event would be the only one in it"),
    ):
        if source and source.entry(key):
            words = f"one file is written anew with each run, and {why}: {_RUN_ID}"
            yield Mistake.at(node.place, path, words)


def _not_for_files(root: Node) -> Iterator[Mistake]:
    push = root.at("push")
    assert push is not None  # it holds the name
    for key, words in (
        ("version", "rows of files are never updated: `version` is for SQL databases"),
        ("contract", "each file has the fields of its own rows: `contract` is for SQL databases"),
    ):
        if entry := push.entry(key):
            yield Mistake.at(entry.place, f"push.{key}", words)
    if entry := push.entry("table"):
        words = "`table` has no effect: the stream is known by the file's name"
        yield Mistake.at(entry.place, "push.table", words, warning=True)
