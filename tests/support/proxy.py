"""A small real HTTP proxy on loopback: absolute URLs and CONNECT, with a password if asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.support.server import _call, _loop


@dataclass
class Proxy:
    """A running proxy; `asked` holds the first lines that it saw, `given` the credentials."""

    address: str = ""
    asked: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)


@contextmanager
def proxy(wanted: str = "") -> Iterator[Proxy]:
    """Run a proxy that wants this `Proxy-Authorization`, if any, until the block ends."""
    seen = Proxy()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await _serve(reader, writer, seen, wanted)
        writer.close()

    listener = _call(asyncio.start_server(talk, "127.0.0.1", 0))
    seen.address = "{}:{}".format(*listener.sockets[0].getsockname())
    try:
        yield seen
    finally:
        _loop().call_soon_threadsafe(listener.close)


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Proxy, wanted: str
) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    seen.asked.append(first)
    seen.given.append(fields.pop("proxy-authorization", ""))
    if seen.given[-1] != wanted:
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        return
    method, target, version = first.split(" ")
    url = urlsplit(f"//{target}" if method == "CONNECT" else target)
    there, back = await asyncio.open_connection(url.hostname, url.port or 80)
    if method == "CONNECT":
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    else:
        path = target.partition("//")[2].partition("/")[2]
        rest = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        back.write(f"{method} /{path} {version}\r\n{rest}\r\n".encode("latin-1"))
    await asyncio.gather(_pump(reader, back), _pump(there, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
