"""Decoding a JSON page to just the fields that are read, where the page fits what is expected."""

from __future__ import annotations

from codecs import utf_8_decode
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import getitem
from typing import Any, Final

import msgspec

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.decode.envelope import Envelope
from astrio.tasks.decode.json import decode_json
from astrio.tasks.mapping.sent import plain, sent
from astrio.tasks.mapping.shape import Shape
from astrio.tasks.projected import Origin, Projected

_MOST_MISFITS: Final = 3
_PART: Final = 64 * 1024


class Projection:
    """Decodes the records of one reading for its mapping.

    Pages that do not fit the shape are decoded as a whole; after some in a row it is tried no more.
    """

    def __init__(self, shape: Shape | None, keys: Sequence[str], *, exact: bool = False) -> None:
        """Take what is read of each record, and where the records are.

        Args:
            shape: what is read; None: whole records.
            keys: that lead to the records' list.
            exact: fractions remember their digits as sent.
        """
        self._shape = shape
        self._keys = tuple(keys)
        self._exact = exact
        self._envelope = None if shape is None else Envelope(keys, _decoder(shape, exact=exact))
        self._misfits = 0

    def decode(self, content: bytes, headers: Mapping[str, str]) -> Any | None:
        """Return the body with its records `Projected`; None: it is to be decoded plainly."""
        body = self._in_part(content, headers)
        return self._exactly(content, headers) if body is None and self._exact else body

    def _in_part(self, content: bytes, headers: Mapping[str, str]) -> Any | None:
        """Return a body that fits: what a plain decoder refuses or takes otherwise does not."""
        if self._envelope is None or self._misfits >= _MOST_MISFITS:
            return None
        if not content.isascii() and declares_another(headers.get("content-type", "")):
            return None
        try:
            _check_utf8(content)  # the decoder does not look at what it skips
            body = self._body(self._envelope, content, headers)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
            self._misfits += 1
            return None
        self._misfits = 0
        return body

    def _exactly(self, content: bytes, headers: Mapping[str, str]) -> Any | None:
        """Return the body with whole records; None where they are not where they should be."""
        try:
            body = decode_json(content, headers, exact=True)
        except ApiAnswerError:
            return None
        if not self._keys:
            return Projected.exactly(body) if isinstance(body, list) else None
        *above, last = self._keys
        try:
            parent = reduce(getitem, above, body)
            records = parent[last]
            parent[last] = []
        except (KeyError, TypeError, IndexError):
            return None
        if not isinstance(records, list):
            return None
        body = plain(body)
        reduce(getitem, above, body)[last] = Projected.exactly(records)
        return body

    def _body(self, envelope: Envelope, content: bytes, headers: Mapping[str, str]) -> Any:
        body, structs = envelope.decode(content)
        origin = Origin(
            lambda: envelope.text(content), lambda record: decode_json(bytes(record), headers)
        )
        records = Projected(structs, self._shape, origin, range(len(structs)), exact=self._exact)
        if not self._keys:
            return records
        *above, last = self._keys
        reduce(getitem, above, body)[last] = records
        return body


def _decoder(shape: Shape, *, exact: bool) -> msgspec.json.Decoder[Any]:
    records = list[shape.struct()]  # type: ignore[misc, valid-type]  # made at run time
    if exact:
        return msgspec.json.Decoder(records, float_hook=sent)
    return msgspec.json.Decoder(records)


def _check_utf8(content: bytes) -> None:
    """Raise UnicodeDecodeError if the text is not UTF-8.

    It is decoded in small parts: a whole page's text would be made only to be thrown away.
    """
    if content.isascii():
        return
    view, place = memoryview(content), 0
    while len(content) - place > _PART:
        place += utf_8_decode(view[place : place + _PART], "strict", False)[1]
    utf_8_decode(view[place:], "strict", True)


def declares_another(kind: str) -> bool:
    """Whether a body is said to be in another charset than UTF-8."""
    return "charset" in kind.lower() and "utf-8" not in kind.lower()
