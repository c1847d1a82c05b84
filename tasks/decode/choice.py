"""Which decoder reads an answer."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from copy import copy
from functools import cache
from pathlib import PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from astrio.blocks.api import Limits
from astrio.blocks.errors import ApiAnswerError
from astrio.blocks.settings import subclasses_in
from astrio.tasks import decode
from astrio.tasks.decode.apart import decode_page
from astrio.tasks.decode.archive import is_packed, unpacked
from astrio.tasks.decode.base import Decoder, Piece
from astrio.tasks.decode.projection import Projection
from astrio.tasks.settings import ResponseSettings


class Decoding:
    """Decodes the bodies of one source.

    Attributes:
        in_pieces: a body may be read piece by piece, so that it may exceed memory.
    """

    def __init__(
        self, settings: ResponseSettings, records: str = "$", limits: Limits | None = None
    ) -> None:
        """Take `source.response`, the path of the records, and the connection's limits."""
        limits = limits or Limits()
        self._settings = settings
        self._records = records
        self._projection: Projection | None = None
        self._plain = settings.format == "auto" and settings.charset is None
        self.in_pieces = settings.format != "auto" and decoders()[settings.format].in_pieces

        self._limit = limits.max_download_bytes if self.in_pieces else limits.max_response_bytes

    def projected(self, projection: Projection) -> Decoding:
        """Return what decodes JSON to the fields that are read, where a body fits."""
        decoding = copy(self)
        decoding._projection = projection
        return decoding

    @property
    def accept(self) -> str | None:
        """The Accept header for a format that is not JSON."""
        if self._settings.format in ("auto", "json"):
            return None
        return f"{decoders()[self._settings.format].content_types[0]}, */*;q=0.5"

    def is_plain(self, content: bytes, headers: Mapping[str, str]) -> bool:
        """Whether a body is JSON as it stands, and nothing but its records is looked at."""
        kind = headers.get("content-type", "")
        return self._plain and _is_json(kind) and not is_packed(content[:4])

    def decode(self, content: bytes, headers: Mapping[str, str], url: str) -> Any:
        """Return a body's value.

        Raises:
            ApiAnswerError: it is damaged, or in another format.
        """
        kind = headers.get("content-type", "")
        if self.is_plain(content, headers):
            found = self._projection and self._projection.decode(content, headers)
            return decode_page(content, headers, self._records) if found is None else found
        if is_packed(content[:4]):
            return self._packed(io.BytesIO(content), kind, url)
        return self._decoder(kind, _file_name(url)).decode(content, kind)

    def pieces(self, file: BinaryIO, headers: Mapping[str, str], url: str) -> Iterator[Piece]:
        """Yield parts of a large body's value, each with about a thousand records.

        Raises as `decode`.
        """
        kind = headers.get("content-type", "")
        start = file.read(4)
        file.seek(0)
        if not is_packed(start):
            yield from self._decoder(kind, _file_name(url)).pieces(file, kind)
            return
        for name, opened in unpacked(file, _file_name(url), self._settings.unzip, self._limit):
            yield from self._decoder("", name).pieces(opened, "")

    def _packed(self, file: BinaryIO, kind: str, url: str) -> Any:
        found: list[Any] = []
        name = _file_name(url)
        for inside, opened in unpacked(file, name, self._settings.unzip, self._limit):
            inner = "" if "zip" in kind or "octet-stream" in kind else kind
            found.append(self._decoder(inner, inside).decode(opened.read(), inner))
        lists = [each for each in found if isinstance(each, list)]
        if len(found) == 1:
            return found[0]
        if len(lists) < len(found):
            raise ApiAnswerError(
                f"The zip archive holds {len(found)} members that are no lists of records.",
                advice="Choose one of them with response.unzip.",
            )
        return [record for each in lists for record in each]

    def _decoder(self, kind: str, name: str) -> Decoder:
        """Return the decoder: by format, by Content-Type, by the file's name, or JSON."""
        known = decoders()
        if self._settings.format != "auto":
            return known[self._settings.format](self._settings, self._records)
        told = kind.partition(";")[0].strip().lower()
        by_type = [each for each in known.values() if told in each.content_types]
        if not by_type and told.endswith("+xml") and "html" not in told:
            by_type = [known["xml"]]
        suffix = PurePosixPath(name).suffix.lower()
        generic = told in ("", "application/octet-stream", "binary/octet-stream", "text/plain")
        by_name = [each for each in known.values() if generic and suffix in each.extensions]
        return (by_type or by_name or [known["json"]])[0](self._settings, self._records)


@cache
def decoders() -> Mapping[str, type[Decoder]]:
    """Return all decoders by name."""
    return {each.name: each for each in subclasses_in(decode, Decoder)}  # type: ignore[type-abstract] # a base to look for


def _is_json(kind: str) -> bool:
    told = kind.partition(";")[0].rstrip().lower()
    return told in ("", "application/json") or told.endswith("+json")


def _file_name(url: str) -> str:
    return PurePosixPath(urlsplit(url).path).name
