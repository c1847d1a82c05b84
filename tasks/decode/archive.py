"""Files that are packed themselves: gzip (RFC 1952) and zip archives, with caps against bombs."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import BinaryIO

from astrio.blocks.errors import ApiAnswerError

GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
MOST_MEMBERS = 1_000
HIGHEST_RATIO = 1_000
_PATIENCE = 16 * 1024 * 1024
_BROKEN = (EOFError, OSError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)


def is_packed(start: bytes) -> bool:
    """Whether a body that begins so is gzip or zip; no text format begins like that."""
    return start.startswith((GZIP, ZIP, _EMPTY_ZIP))


def unpacked(
    file: BinaryIO, name: str, pattern: str, limit: int
) -> Iterator[tuple[str, io.BufferedReader]]:
    """Yield (name, opened file) of everything inside; names end without `.gz`.

    Args:
        file: a body for which `is_packed` holds; it can be searched.
        name: of the body, e.g. the last segment of its URL.
        pattern: which members of a zip archive are wanted.
        limit: bytes that all of it may hold when unpacked.

    Raises:
        ApiAnswerError: it is damaged, encrypted, holds no such member, or unpacks to more than
            the limit or to a thousand times its size.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    meter = _Meter(size, limit)
    if file.read(2) == GZIP:
        file.seek(0)
        stream = _Metered(gzip.GzipFile(fileobj=file), meter)
        yield name.removesuffix(".gz"), io.BufferedReader(stream)
        return
    file.seek(0)
    with _explained(), zipfile.ZipFile(file) as archive:
        for member in _chosen(archive, pattern):
            with _explained(), archive.open(member) as opened:
                yield member.filename, io.BufferedReader(_Metered(opened, meter))


def _chosen(archive: zipfile.ZipFile, pattern: str) -> list[zipfile.ZipInfo]:
    members = [each for each in archive.infolist() if _is_data(each)]
    found = [each for each in members if fnmatch(each.filename, pattern)]
    if not found:
        names = ", ".join(each.filename[:60] for each in members[:5]) or "nothing"
        raise ApiAnswerError(
            f"The zip archive holds no member {pattern!r}; it holds {names}.",
            advice="Correct response.unzip.",
        )
    if len(found) > MOST_MEMBERS:
        raise ApiAnswerError(
            f"The zip archive holds {len(found):,} members, more than {MOST_MEMBERS:,}.",
            advice="Choose among them with response.unzip.",
        )
    if any(each.flag_bits & 1 for each in found):
        raise ApiAnswerError(
            "The zip archive is encrypted.", advice="Ask the API for one without a password."
        )
    return found


def _is_data(member: zipfile.ZipInfo) -> bool:
    """Whether it is a file of the archive's maker, rather than of their operating system."""
    parts = PurePosixPath(member.filename).parts
    hidden = not parts or parts[0] == "__MACOSX" or parts[-1].startswith(".")
    return not member.is_dir() and not hidden


class _Meter:
    """Counts what comes out of an archive."""

    def __init__(self, packed: int, limit: int) -> None:
        self._packed = max(packed, 1)
        self._limit = limit
        self._size = 0

    def count(self, size: int) -> None:
        self._size += size
        if self._size > self._limit:
            raise ApiAnswerError(
                f"The packed answer unpacks to more than {self._limit:,} bytes.",
                advice="Ask for less at once, or raise the connection's limits.",
            )
        if self._size > _PATIENCE and self._size > HIGHEST_RATIO * self._packed:
            raise ApiAnswerError(
                f"The packed answer unpacks to more than {HIGHEST_RATIO:,} times its size.",
                advice="It may be a bomb; it was not read any further.",
            )


class _Metered(io.RawIOBase):
    """A file that is counted, and whose damage is told in words."""

    def __init__(self, file: object, meter: _Meter) -> None:
        super().__init__()
        self._file: BinaryIO = file  # type: ignore[assignment] # GzipFile and ZipExtFile read alike
        self._meter = meter

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = 0) -> int:
        return self._file.seek(place, whence)

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type] # io hands over a writable buffer
        with _explained():
            chunk = self._file.read(len(view))
        self._meter.count(len(chunk))
        view[: len(chunk)] = chunk
        return len(chunk)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise ApiAnswerError(
            f"The packed answer is damaged or breaks off ({type(error).__name__}).",
            advice="Run again; if it stays, the fault is the API's.",
        ) from error
