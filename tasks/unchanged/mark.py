"""How a page is told from others, and which keys it holds."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

_PLAIN: Final = frozenset({int, str, NoneType})
_BETWEEN: Final = "\x1f"

if TYPE_CHECKING:
    Keys = array[int]
else:
    Keys = array
"""Four bytes of each key: equal keys have equal ones, others seldom do."""


@dataclass(slots=True)
class Mark:
    """What a run that looks for unchanged pages notes of each.

    Attributes:
        digest: of its records as they came; empty: they cannot be told from others.
        skipped: they are as the last run left them, and were not looked at.
        keys: of its records, rejected ones too; None: they cannot be compared by their texts.
    """

    digest: bytes = b""
    skipped: bool = False
    keys: Keys | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is kept of a page that changes nothing in the table.

    Attributes:
        fetched: how many records it holds.
        filtered: how many of them the filter leaves out.
        keys: as of a `Mark`.
    """

    fetched: int
    filtered: int
    keys: Keys | None


def keys_of(rows: Sequence[Sequence[Any]], places: Sequence[int]) -> Keys | None:
    """Return the keys that stand at these places of rows; None: some are no texts or integers."""
    columns = [[row[place] for row in rows] for place in places]
    if not columns or not all(_PLAIN.issuperset(map(type, column)) for column in columns):
        return None
    texts: Iterable[str] = map(str, columns[0])
    if len(columns) > 1:
        parts = zip(*(map(str, column) for column in columns), strict=True)
        texts = map(_BETWEEN.join, parts)
    try:
        return array("I", map(crc32, map(str.encode, texts)))
    except UnicodeEncodeError:  # half of a character
        return None
