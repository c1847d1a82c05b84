"""JSON Lines: one JSON value a line (jsonlines.org, NDJSON); empty lines are left out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.decode.base import (
    PIECE,
    BrokenRecord,
    Decoder,
    Piece,
    charset,
    refuse_other,
    unusable,
    wrong_charset,
)
from astrio.tasks.decode.json import decode_json
from astrio.tasks.tuning import PIECE_BYTES

LONGEST_LINE = 16 * 1024 * 1024


class JsonLines(Decoder):
    """A list of the lines' values."""

    name = "jsonl"
    content_types = (
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonl",
        "application/jsonlines",
        "application/x-jsonlines",
        "application/json-lines",
        "text/jsonl",
    )
    extensions = (".jsonl", ".ndjson")

    def decode(self, content: bytes, kind: str) -> list[Any]:
        """Return the values of all lines."""
        return [value for piece in self.pieces(io.BytesIO(content), kind) for value in piece.value]

    def pieces(self, file: BinaryIO, kind: str) -> Iterator[Piece]:
        """Yield the values of a thousand lines at a time."""
        decoder = msgspec.json.Decoder()
        number, size, lines = 0, 0, list[bytes]()
        for line in self._lines(file, kind):
            lines.append(line)
            size += len(line)
            if len(lines) == PIECE or size >= PIECE_BYTES:
                yield Piece(self._values(decoder, lines, number), size)
                number += len(lines)
                size, lines = 0, []
        if lines or not number:
            yield Piece(self._values(decoder, lines, number), size)

    def _lines(self, file: BinaryIO, kind: str) -> Iterator[bytes]:
        first = file.readline(LONGEST_LINE)
        refuse_other(kind, "JSON Lines", first[:1000])
        encoding = charset(first[:4], kind, self.settings)
        if encoding in ("utf-8", "utf-8-sig", "ascii"):
            line = first.removeprefix(b"\xef\xbb\xbf")
            while line:
                _refuse_endless(line, kind)
                yield line
                line = file.readline(LONGEST_LINE)
            return
        file.seek(0)
        text = self.text(file, kind)
        try:
            while row := text.readline(LONGEST_LINE):
                _refuse_endless(row, kind)
                yield row.encode()
        except UnicodeError:
            raise wrong_charset(kind) from None

    def _values(
        self, decoder: msgspec.json.Decoder[Any], lines: list[bytes], before: int
    ) -> list[Any]:
        try:
            return decoder.decode_lines(b"".join(lines))
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return list(self._with_care(lines, before))

    def _with_care(self, lines: list[bytes], before: int) -> Iterator[Any]:
        for number, line in enumerate(lines, before + 1):
            if not line.strip():
                continue
            try:
                yield decode_json(line, {})
            except ApiAnswerError as error:
                reason = error.message.removeprefix("The answer's body ")
                if self.settings.broken == "fail":
                    raise ApiAnswerError(
                        f"Line {number:,} of the answer {reason}", advice=error.advice
                    ) from None
                yield BrokenRecord(number, f"The line {reason}", line.decode(errors="replace"))


def _refuse_endless(line: bytes | str, kind: str) -> None:
    end = b"\n" if isinstance(line, bytes) else "\n"
    if len(line) == LONGEST_LINE and not line.endswith(end):  # type: ignore[arg-type] # of the same kind
        advice = "Check response.format: JSON Lines hold one value a line."
        raise unusable(f"holds a line of more than {LONGEST_LINE:,} characters", kind, advice)
