"""Every number that trades speed for memory or delay; the defaults are meant to need no tuning.

Each can be set by an environment variable of its name with ASTRIO_ in front, such as
ASTRIO_CHUNK_ROWS=20000 (docs/speed.md). What bounds correctness (limits, timeouts, leases) is none
of them.
"""

from __future__ import annotations

import os
from typing import Final

from astrio.blocks.errors import ConfigurationError


def number(name: str, default: float, least: float = 1) -> float:
    """Return a number's setting.

    Raises:
        ConfigurationError: the variable holds no number, or too small a one.
    """
    variable = f"ASTRIO_{name}"
    text = os.environ.get(variable, "").strip()
    try:
        value = float(text) if text else default
    except ValueError:
        value = float("nan")
    if not least <= value < float("inf"):
        raise ConfigurationError(
            f"{variable} is no number from {least:,} on: {text[:40]!r}.",
            advice=f"Leave it out: the default is {default:,}.",
        )
    return value


CHUNK_ROWS: Final = int(number("CHUNK_ROWS", 10_000))
"""Records that are committed at once: more cost less each, and wait in memory."""
CHUNK_BYTES: Final = int(number("CHUNK_BYTES", 64 * 1024 * 1024))
"""Bytes of records, as they came, that are committed at once, however few records they are."""
CHUNK_SECONDS: Final = number("CHUNK_SECONDS", 1.0, 0.01)
"""How long records wait to be committed, at most, while a source is slow."""
PAGES_WAITING: Final = int(number("PAGES_WAITING", 2))
"""Pages that may wait between two stages, so that each can be at work all the time."""
WAITING_BYTES: Final = int(number("WAITING_BYTES", 8 * 1024 * 1024))
"""Bytes of pages, as they came, beyond which no second one waits between two stages."""
AHEAD_BYTES: Final = int(number("AHEAD_BYTES", 64 * 1024 * 1024))
"""Bytes that pages may come to which are asked for at once; fewer are, where pages are large."""
PIECE_BYTES: Final = int(number("PIECE_BYTES", 4 * 1024 * 1024, 4096))
"""Bytes after which a page is cut off where astrio makes the pages: of a file, of a generator."""
GC_OBJECTS: Final = int(number("GC_OBJECTS", 100_000))
"""Objects, made and not yet freed, after which Python searches the young ones for cycles."""
GC_OBJECTS_AT_START: Final = int(number("GC_OBJECTS_AT_START", 1_000_000))
"""The same for the command line until records stream: modules and schemas are made, and stay."""
READ_BUFFER: Final = int(number("READ_BUFFER", 256 * 1024, 4096))
"""Bytes of an answer that may arrive before anybody reads them."""
DISTINCT_VALUES: Final = int(number("DISTINCT_VALUES", 20_000))
"""Values of a field among which the different ones are counted, unless a file asks for all."""
