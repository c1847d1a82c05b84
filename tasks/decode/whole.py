"""JSON as one of the formats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from astrio.tasks.decode.apart import decode_page
from astrio.tasks.decode.base import Decoder, Piece


class Json(Decoder):
    """Any JSON value."""

    name = "json"
    content_types = ("application/json", "text/json")
    extensions = (".json",)
    in_pieces = False

    def decode(self, content: bytes, kind: str) -> Any:
        """Return the value."""
        if self.settings.charset:
            kind = f"application/json; charset={self.settings.charset}"
        return decode_page(content, {"content-type": kind}, self.records)

    def pieces(self, file: BinaryIO, kind: str) -> Iterator[Piece]:
        """Yield the value."""
        content = file.read()
        yield Piece(self.decode(content, kind), len(content))
