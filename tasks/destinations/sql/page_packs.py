"""Remembered pages as text: some hundred of them in each row of the state table."""

from __future__ import annotations

import struct
import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from typing import Final

from astrio.tasks.unchanged.mark import Remembered

_HEAD: Final = struct.Struct("<16sIIi")
_NO_KEYS: Final = -1
PACK_BYTES: Final = 500_000
"""A row holds little more than so much, which every database takes at once."""


def packed(pages: Mapping[bytes, Remembered]) -> Iterator[str]:
    """Yield the texts that hold all the pages."""
    parts, size = list[bytes](), 0
    for digest, page in pages.items():
        parts.append(_written(digest, page))
        size += len(parts[-1])
        if size >= PACK_BYTES:
            yield b64encode(b"".join(parts)).decode()
            parts, size = [], 0
    if parts:
        yield b64encode(b"".join(parts)).decode()


def unpacked(text: str) -> Iterator[tuple[bytes, Remembered]]:
    """Yield the pages that a text holds, each with its digest."""
    content, at = memoryview(b64decode(text)), 0
    while at < len(content):
        digest, fetched, filtered, count = _HEAD.unpack_from(content, at)
        at += _HEAD.size
        keys = None
        if count != _NO_KEYS:
            keys = array("I")
            end = at + count * keys.itemsize
            keys.frombytes(content[at:end])
            if sys.byteorder == "big":
                keys.byteswap()
            at = end
        yield digest, Remembered(fetched, filtered, keys)


def _written(digest: bytes, page: Remembered) -> bytes:
    if page.keys is None:
        return _HEAD.pack(digest, page.fetched, page.filtered, _NO_KEYS)
    keys = page.keys
    if sys.byteorder == "big":
        keys = array("I", keys)
        keys.byteswap()
    return _HEAD.pack(digest, page.fetched, page.filtered, len(keys)) + keys.tobytes()
