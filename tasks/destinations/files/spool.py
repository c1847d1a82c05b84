"""Where a format writes to: a temporary file and its pieces, or nowhere, for a dry run."""

from __future__ import annotations

import gzip
import io
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

_LEVEL: Final = 6
_BUFFER: Final = 1 << 18


class Spool:
    """A temporary file, which becomes the file, and pieces beside it that go before.

    Attributes:
        path: the temporary file.
        keeps: whether what is written can be read again.
    """

    keeps = True

    def __init__(self, path: Path, *, gzipped: bool = False) -> None:
        """Take the temporary file's path; `gzipped` compresses all that is written."""
        self.path = path
        self._gzipped = gzipped
        self._opened: list[BinaryIO] = []

    def create(self, piece: int | None = None) -> BinaryIO:
        """Open the file, or one of its pieces, for writing; nothing of before is left in it."""
        raw = self._raw(self._piece(piece))
        self._opened.append(raw)
        if not self._gzipped:
            return raw
        # Without a name and a time in it, the same rows make the same bytes.
        packed = gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0)
        return cast("BinaryIO", io.BufferedWriter(_Both(packed, raw), _BUFFER))

    def read(self, piece: int | None = None) -> BinaryIO:
        """Open the file, or one of its pieces, for reading."""
        raw = self._piece(piece).open("rb", _BUFFER)
        self._opened.append(raw)
        return cast("BinaryIO", gzip.GzipFile("", "rb", fileobj=raw)) if self._gzipped else raw

    def promote(self, piece: int) -> None:
        """Let a piece become the file."""
        self._piece(piece).replace(self.path)

    def size(self) -> int:
        """Return the file's size in bytes."""
        return self.path.stat().st_size

    def close(self) -> None:
        """Close all that is open; what was not flushed is lost."""
        for each in self._opened:
            with suppress(OSError, ValueError):
                each.close()
        self._opened.clear()

    def clear(self) -> None:
        """Remove the pieces, which are no longer needed."""
        remove_pieces(self.path)

    def _raw(self, path: Path) -> BinaryIO:
        return path.open("wb", _BUFFER)

    def _piece(self, piece: int | None) -> Path:
        return self.path if piece is None else self.path.with_name(f"{self.path.name}.{piece}")


class CountingSpool(Spool):
    """Counts the bytes, and keeps none."""

    keeps = False

    def __init__(self, *, gzipped: bool = False) -> None:
        super().__init__(Path(os.devnull), gzipped=gzipped)
        self._counted: list[_Counter] = []

    def size(self) -> int:
        """Return how many bytes were written to the file and its pieces."""
        return sum(each.bytes for each in self._counted)

    def promote(self, piece: int) -> None:
        """Do nothing: there is no piece."""

    def clear(self) -> None:
        """Do nothing: there is no piece."""

    def _raw(self, path: Path) -> BinaryIO:  # noqa: ARG002 (as its base)
        counter = _Counter()
        self._counted.append(counter)
        return cast("BinaryIO", counter)


class _Both(io.RawIOBase):
    """A compressed stream that closes the file below it, too."""

    def __init__(self, packed: gzip.GzipFile, below: BinaryIO) -> None:
        self._packed = packed
        self._below = below

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._packed.write(data)

    def close(self) -> None:
        if not self.closed:
            try:
                self._packed.close()
            finally:
                self._below.close()
                super().close()


class _Counter(io.RawIOBase):
    def __init__(self) -> None:
        self.bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self.bytes += size
        return size


def remove_pieces(path: Path) -> None:
    """Remove the pieces beside a temporary file."""
    for number in _numbers(path):
        path.with_name(f"{path.name}.{number}").unlink(missing_ok=True)


def _numbers(path: Path) -> list[int]:
    beginning = f"{path.name}."
    if not path.parent.is_dir():
        return []
    names = (each.name for each in path.parent.iterdir() if each.name.startswith(beginning))
    ends = (name.removeprefix(beginning) for name in names)
    return [int(end) for end in ends if end.isdecimal()]
