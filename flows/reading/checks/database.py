"""`push.to.url`: a database that astrio knows, and that outlives the run."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator
from typing import Final

from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node
from astrio.tasks.destinations.sql import dialects

_BACKEND: Final = re.compile(r"([A-Za-z][A-Za-z0-9]*)(?:\+\w+)?://")
_IN_MEMORY: Final = re.compile(
    r"(sqlite|duckdb)(?:\+\w+)?://(?:/(?::memory:[^?]*)?)?(?:\?.*)?", re.IGNORECASE
)

_NAMELESS: Final = re.compile(r"(mysql|mariadb)(?:\+\w+)?://[^/?]*/?(?:\?.*)?", re.IGNORECASE)
_FILES: Final = {"sqlite": "sqlite:///data.db", "duckdb": "duckdb:///data.duckdb"}


def check(root: Node) -> Iterator[Mistake]:
    """Yield a URL that says by itself that it cannot be written to."""
    url = root.at("push", "to", "url")
    if url is None or not isinstance(url.value, str) or root.at("push", "to", "method"):
        return
    backend = _BACKEND.match(url.value)
    if backend is None or backend[1].lower() in ("http", "https"):
        return
    known = sorted(info.name for info in pkgutil.iter_modules(dialects.__path__))
    if backend[1].lower() not in known:
        words = f"astrio knows no way to write to {backend[1]} yet; it knows {', '.join(known)}"
        yield Mistake.at(url.place, "push.to.url", words)
    elif nameless := _NAMELESS.fullmatch(url.value):
        words = f"it names no database: write {nameless[1].lower()}://user@host/NAME"
        yield Mistake.at(url.place, "push.to.url", words)
    elif in_memory := _IN_MEMORY.fullmatch(url.value):
        file = _FILES[in_memory[1].lower()]
        words = f"a database in memory is gone when the run ends: name a file, {file}"
        yield Mistake.at(url.place, "push.to.url", words)
