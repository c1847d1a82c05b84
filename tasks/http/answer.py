"""An answer as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: its headers, its decoded body, and the URL that gave it, unsigned."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    url: str
