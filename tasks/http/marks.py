"""Telling the references that a file's author wrote from text of a record that looks like one."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from astrio.blocks.secrets import REFERENCE


class Marks:
    """Marks in the place of references, which no record can forge, while placeholders are filled.

    Args:
        fill: returns what a reference stands for.
    """

    def __init__(self, fill: Callable[[str], str]) -> None:
        self._fill = fill
        self._nonce = secrets.token_hex(16)
        self._mark = re.compile(rf"~{self._nonce}-(\d+)~")
        self._references: list[str] = []

    def put(self, value: Any) -> Any:
        """Return the value with each reference in its texts replaced by a mark."""
        if isinstance(value, str):
            return REFERENCE.sub(self._marked, value)
        if isinstance(value, BaseModel):
            fields = type(value).model_fields
            return value.model_copy(
                update={each: self.put(getattr(value, each)) for each in fields}
            )
        return _mapped(value, self.put)

    def taken(self, value: Any, encode: Callable[[str], str] = str) -> Any:
        """Return the value with each mark replaced by what its reference stands for."""
        if isinstance(value, str):
            return self._mark.sub(
                lambda found: encode(self._fill(self._references[int(found[1])])), value
            )
        return _mapped(value, lambda below: self.taken(below, encode))

    def written(self, text: str) -> str:
        """Return a message with the references as they are written."""
        return self._mark.sub(lambda found: self._references[int(found[1])], text)

    def _marked(self, found: re.Match[str]) -> str:
        self._references.append(found.group())
        return f"~{self._nonce}-{len(self._references) - 1}~"


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, Mapping):
        return {name: change(below) for name, below in value.items()}
    if isinstance(value, list | tuple):
        return [change(below) for below in value]
    return value
