"""What in an answer's body hints at pagination: names and values outside the records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_DEEPEST: Final = 3
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Sign:
    """A value of the body, outside of lists.

    Attributes:
        path: leads to it.
        key: its key, as written.
        word: its key in small letters and digits only; below a parent called next, `next`.
        value: the value.
    """

    path: str
    key: str
    word: str
    value: Any

    @property
    def is_link(self) -> bool:
        """Whether it is a URL, or the path or query of one."""
        starts = ("http://", "https://", "/", "?")
        return isinstance(self.value, str) and self.value.startswith(starts)

    @property
    def is_token(self) -> bool:
        """Whether it could be sent back as it is."""
        plain = isinstance(self.value, str | int) and not isinstance(self.value, bool)
        return plain and self.value != "" and not self.is_link


def signs_in(body: Any) -> list[Sign]:
    """Return the values of a body's objects, the outermost first."""
    return sorted(_walk(body, "$", "", 1), key=lambda sign: sign.path.count("."))


def _walk(value: Any, path: str, parent: str, depth: int) -> Iterator[Sign]:
    if not isinstance(value, dict) or depth > _DEEPEST:
        return
    for key, below in value.items():
        step = f".{key}" if _IDENTIFIER.fullmatch(str(key)) else f"['{key}']"
        if "'" in str(key):
            continue
        word = re.sub("[^a-z0-9]", "", str(key).lower())
        if word in ("href", "url") and parent.startswith("next"):
            word = parent
        if isinstance(below, dict):
            yield from _walk(below, path + step, word, depth + 1)
        elif not isinstance(below, list):
            yield Sign(path + step, str(key), word, below)


def lists_in(body: Any, path: str = "$", depth: int = 1) -> Iterator[str]:
    """Yield the path of every list of objects in a body."""
    if isinstance(body, list) and body and all(isinstance(each, dict) for each in body):
        yield f"{path}[*]"
    elif isinstance(body, dict) and depth <= _DEEPEST:
        for key, below in body.items():
            if _IDENTIFIER.fullmatch(str(key)):
                yield from lists_in(below, f"{path}.{key}", depth + 1)
