"""An answer as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: its headers, its decoded body, and the URL that gave it, unsigned.

    A large body that is read piece by piece is a temporary file instead of `content`.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    url: str
    file: BinaryIO | None = None
