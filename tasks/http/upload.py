"""Bodies that are streamed from disk: files and multipart/form-data (RFC 7578)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import mimetypes
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.http.parameters import query_items
from astrio.tasks.settings import ArrayStyle

_CHUNK = 256 * 1024
BINARY = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Stored:
    """A file on disk as a piece of a body."""

    path: Path
    size: int


class Upload:
    """A body made of bytes and files; each iteration opens the files anew.

    Attributes:
        size: of the whole body, bytes.
    """

    def __init__(self, pieces: list[bytes | Stored]) -> None:
        """Take the pieces in their order."""
        self._pieces = pieces
        self.size = sum(p.size if isinstance(p, Stored) else len(p) for p in pieces)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the body in chunks.

        Raises:
            ConfigurationError: a file is gone, or has another size than when the sending began.
        """
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                async for chunk in _read(piece):
                    yield chunk


def stored_file(path: str) -> Stored:
    """Return a file that can be sent.

    Raises:
        ConfigurationError: there is no such file, or it cannot be read.
    """
    found = Path(path)
    if not found.is_file():
        raise ConfigurationError(
            f"There is no file {path!r} to send.",
            advice="A relative path is looked up in the current directory.",
        )
    if not os.access(found, os.R_OK):
        raise ConfigurationError(f"The file {path!r} may not be read.")
    return Stored(found, found.stat().st_size)


def decoded(text: str) -> bytes:
    """Return the bytes of a base64 text (RFC 4648); line breaks in it are ignored.

    Raises:
        ConfigurationError: it is no base64.
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigurationError("The body given as base64 is no base64.") from None


def multipart(fields: Mapping[str, Any], arrays: ArrayStyle) -> tuple[Upload, str]:
    """Return the body and its content type.

    Args:
        fields: values by name; a mapping is a part (`PartSettings`), a list is sent repeatedly.
        arrays: how the name of a list's item is written.

    Raises:
        ConfigurationError: a file cannot be read, or a part's header cannot be sent.
    """
    boundary = f"astrio-{uuid4().hex}"
    pieces: list[bytes | Stored] = []
    for name, value in _parts(fields, arrays):
        head, content = _part(name, value)
        pieces += [f"--{boundary}\r\n{head}\r\n\r\n".encode(), content, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    return Upload(pieces), f"multipart/form-data; boundary={boundary}"


def _parts(fields: Mapping[str, Any], arrays: ArrayStyle) -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        items = value if isinstance(value, list | tuple) else [value]
        for index, item in enumerate(items):
            if isinstance(item, Mapping):
                yield _name(name, index, arrays, several=items is value), item
        texts = [item for item in items if not isinstance(item, Mapping)]
        yield from query_items({name: texts if items is value else value}, arrays) if texts else ()


def _name(name: str, index: int, arrays: ArrayStyle, *, several: bool) -> str:
    if not several or arrays in ("repeat", "comma"):
        return name
    return f"{name}[{index}]" if arrays == "indices" else f"{name}[]"


def _part(name: str, value: Any) -> tuple[str, bytes | Stored]:
    if isinstance(value, str):
        return f'Content-Disposition: form-data; name="{_quoted(name)}"', value.encode()
    content, kind, filename = _content(value)
    filename = value.get("filename", filename)
    head = f'Content-Disposition: form-data; name="{_quoted(name)}"'
    if filename:
        head += f'; filename="{_quoted(filename)}"'
        kind = kind or mimetypes.guess_type(filename)[0] or BINARY
    kind = value.get("content_type") or kind
    if kind and not (kind.isascii() and kind.isprintable()):
        raise ConfigurationError(f"The content type of the part {name!r} cannot be sent.")
    return head + (f"\r\nContent-Type: {kind}" if kind else ""), content


def _content(part: Mapping[str, Any]) -> tuple[bytes | Stored, str, str]:
    """Return content, usual content type and file name of a part."""
    if "file" in part:
        return stored_file(part["file"]), "", Path(part["file"]).name
    if "base64" in part:
        return decoded(part["base64"]), "", ""
    if "json" in part:
        return msgspec.json.encode(part["json"]), "application/json", ""
    return str(part["text"]).encode(), "", ""


def _quoted(text: str) -> str:
    """Escape what would end a quoted name, as browsers do (HTML, *multipart/form-data*)."""
    return text.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


async def _read(stored: Stored) -> AsyncIterator[bytes]:
    try:
        file = await asyncio.to_thread(stored.path.open, "rb")
    except OSError as error:
        raise _changed(stored) from error
    with file:
        left = stored.size
        while left:
            chunk = await asyncio.to_thread(file.read, min(_CHUNK, left))
            if not chunk:
                raise _changed(stored)
            left -= len(chunk)
            yield chunk


def _changed(stored: Stored) -> ConfigurationError:
    return ConfigurationError(f"The file {str(stored.path)!r} was changed while it was sent.")
