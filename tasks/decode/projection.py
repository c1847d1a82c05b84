"""Decoding a JSON page to just the fields that are read, where the page fits what is expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from astrio.tasks.decode.json import decode_json
from astrio.tasks.mapping.shape import Shape
from astrio.tasks.projected import Origin, Projected

_LEVEL: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_PLAIN: Final = msgspec.json.Decoder()
_MOST_MISFITS: Final = 3


class Projection:
    """Decodes the pages of one reading; gives up where pages in a row do not fit."""

    def __init__(self, shape: Shape, keys: Sequence[str]) -> None:
        """Take what is read of each record, and the keys that lead to the records' list."""
        self._shape = shape
        self._keys = tuple(keys)
        self._records = msgspec.json.Decoder(list[shape.struct()])  # type: ignore[misc]  # made at run time
        self._misfits = 0

    def decode(self, content: bytes, headers: Mapping[str, str]) -> Any | None:
        """Return the body with its records `Projected`; None: it does not fit, decode it plainly.

        Whatever a plain decoder would refuse or take otherwise does not fit.
        """
        if self._misfits >= _MOST_MISFITS:
            return None
        if not content.isascii() and _declares_another(headers.get("content-type", "")):
            return None
        try:
            if not content.isascii():
                content.decode()  # what is skipped is not held against UTF-8
            body = self._body(msgspec.Raw(content), self._keys, headers)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
            self._misfits += 1
            return None
        self._misfits = 0
        return body

    def _body(self, text: msgspec.Raw, keys: tuple[str, ...], headers: Mapping[str, str]) -> Any:
        if not keys:
            structs = self._records.decode(text)
            origin = Origin(text, lambda record: decode_json(bytes(record), headers))
            return Projected(structs, self._shape, origin, range(len(structs)))
        first, *rest = keys
        level = _LEVEL.decode(text)
        if first not in level:
            raise KeyError(first)
        return {
            key: self._body(value, tuple(rest), headers) if key == first else _PLAIN.decode(value)
            for key, value in level.items()
        }


def _declares_another(kind: str) -> bool:
    """Whether a body is said to be in another charset than UTF-8."""
    return "charset" in kind.lower() and "utf-8" not in kind.lower()
