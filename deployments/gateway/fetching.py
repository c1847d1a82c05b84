"""Fetching what a scheme needs, such as a vendor's certificate: public addresses, no redirects."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import aiohttp

from astrio.blocks.errors import AstrioError
from astrio.tasks.http.addresses import AddressGuard, GuardedResolver

_SECONDS: Final = 5.0
_MOST: Final = 256 * 1024


async def fetch(url: str) -> bytes | None:
    """Return what is at a URL that a scheme has checked, None if it cannot be had."""
    guard, place = AddressGuard(), urlsplit(url)
    connector = aiohttp.TCPConnector(resolver=GuardedResolver(guard))
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    try:
        # An address that is written out never asks the resolver.
        guard.check(place.hostname or "", place.port or 443)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.get(url, allow_redirects=False) as answered,
        ):
            body = await answered.content.read(_MOST + 1)
            while len(body) <= _MOST and (more := await answered.content.read(_MOST)):
                body += more
            return body if answered.status == 200 and len(body) <= _MOST else None
    except (aiohttp.ClientError, OSError, AstrioError, ValueError):
        return None
