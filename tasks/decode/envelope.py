"""What is around a page's records: decoded together with them, in one pass.

An object whose keys are not known is decoded in two passes: one over its text to part the keys,
one for the value of each. Pages of one source have the same keys, though, so a Struct type made of
those seen before takes the page at once; a page with another key is taken apart, and learned from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

_LEVEL: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_PLAIN: Final = msgspec.json.Decoder()
_MOST_TYPES: Final = 8
_MOST_KEYS: Final = 100


class Envelope:
    """Decodes a body whose records are found by a chain of keys."""

    def __init__(self, keys: Sequence[str], records: msgspec.json.Decoder[Any]) -> None:
        """Take the keys, and what decodes the list of records.

        A hook for the fractions in records is not meant for those around them, so that such
        bodies are always taken apart.
        """
        self._keys = tuple(keys)
        self._at_once = bool(keys) and records.float_hook is None
        self._records = records
        self._levels: list[dict[str, None]] = [{} for _ in keys]
        self._decoder: msgspec.json.Decoder[Any] | None = None
        self._types = 0

    def decode(self, content: bytes) -> tuple[Any, list[Any]]:
        """Return the body, with an empty list where the records are, and the records.

        Raises:
            KeyError: one of the keys is missing.
            MsgspecError: the text is no JSON, or of another shape.
        """
        if self._decoder is not None:
            try:
                return _taken_apart(self._decoder.decode(content), self._keys, self._levels)
            except msgspec.ValidationError:
                pass  # it has other keys, if it fits at all
        return self._by_levels(content)

    def text(self, content: bytes) -> msgspec.Raw:
        """Return the JSON of the records' list in a body that has been decoded."""
        text = msgspec.Raw(content)
        for key in self._keys:
            text = _LEVEL.decode(text)[key]
        return text

    def _by_levels(self, content: bytes) -> tuple[Any, list[Any]]:
        levels, text = list[dict[str, msgspec.Raw]](), msgspec.Raw(content)
        for key in self._keys:
            levels.append(_LEVEL.decode(text))
            text = levels[-1][key]
        records = self._records.decode(text)
        body: Any = []
        for key, level in zip(reversed(self._keys), reversed(levels), strict=True):
            inner = body
            body = {
                name: inner if name == key else _PLAIN.decode(value)
                for name, value in level.items()
            }
        self._learn(levels)
        return body, records

    def _learn(self, levels: Sequence[Mapping[str, Any]]) -> None:
        """Make a type of the keys seen so far; a body of ever new keys is not worth it."""
        for known, level in zip(self._levels, levels, strict=True):
            known.update(dict.fromkeys(level))
        self._types += 1
        few = all(len(known) <= _MOST_KEYS for known in self._levels)
        inner = self._records.type
        for key, known in zip(reversed(self._keys), reversed(self._levels), strict=True):
            inner = _struct(known, key, inner)
        worth = self._at_once and few and self._types <= _MOST_TYPES
        self._decoder = msgspec.json.Decoder(inner) if worth else None


def _struct(names: Mapping[str, None], key: str, inner: Any) -> Any:
    fields = [
        (f"f{place}", inner, msgspec.field(name=name))
        if name == key
        else (f"f{place}", Any, msgspec.field(name=name, default=msgspec.UNSET))
        for place, name in enumerate(names)
    ]
    return msgspec.defstruct("Body", fields, forbid_unknown_fields=True, kw_only=True, gc=False)


def _taken_apart(
    struct: Any, keys: tuple[str, ...], levels: Sequence[Mapping[str, None]]
) -> tuple[Any, list[Any]]:
    if not keys:
        return [], struct
    values = zip(levels[0], msgspec.structs.astuple(struct), strict=True)
    body = {name: value for name, value in values if value is not msgspec.UNSET}
    body[keys[0]], records = _taken_apart(body[keys[0]], keys[1:], levels[1:])
    return body, records
