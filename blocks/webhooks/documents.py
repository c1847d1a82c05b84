"""Certificates and public keys that have to be fetched before a request can be judged.

A scheme fetches nothing itself: its verdict names what it wants (`Verdict.wants`), whoever runs it
fetches that once for all requests, and asks again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from astrio.blocks.webhooks.schemes.base import Received, Scheme, Verdict

_KEPT = 3600.0
_PAUSE = 60.0
_MOST = 64
_MOST_WAITING = 32

Fetch = Callable[[str], Awaitable[bytes | None]]
"""Returns what is at a URL, None if it cannot be had; never raises for a network's fault."""


@dataclass(slots=True)
class _Held:
    content: bytes | None
    since: float


class Documents:
    """What was fetched, kept for an hour; asked for at most once a minute, whatever arrives."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float]) -> None:
        """Take what fetches, and a clock that never goes back, seconds."""
        self._fetch = fetch
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._lock = asyncio.Lock()
        self._waiting = 0

    async def judge(
        self, scheme: Scheme, received: Received, secrets: Sequence[str], now: float
    ) -> Verdict:
        """Judge a request with whatever it needs; never raises.

        The reason stays `document` only while the document cannot be had: then the vendor should
        try again later.
        """
        verdict = scheme.verify(self._with_known(received), secrets, now)
        if verdict.wants is None:
            return verdict
        await self._wait_for(verdict.wants)
        known = self._with_known(received)
        last = scheme.verify(known, secrets, now)
        if last.wants in known.documents:  # it names a key that the vendor does not have
            return Verdict(False, "signature")
        return replace(last, wants=None)

    def _with_known(self, received: Received) -> Received:
        fresh = self._clock() - _KEPT
        known = {
            url: held.content
            for url, held in self._held.items()
            if held.content is not None and held.since > fresh
        }
        return replace(received, documents=known)

    async def _wait_for(self, url: str) -> None:
        """Fetch one document at a time; when many wait, the next ones are not kept waiting."""
        if self._waiting >= _MOST_WAITING:
            return
        self._waiting += 1
        try:
            async with self._lock:
                await self._fetched(url)
        finally:
            self._waiting -= 1

    async def _fetched(self, url: str) -> None:
        """Fetch a document, unless that was just tried; a failure keeps what there was."""
        held = self._held.get(url)
        if held and self._clock() - held.since < _PAUSE:
            return
        if held is None and len(self._held) >= _MOST:
            del self._held[min(self._held, key=self._worth)]
        content = await self._fetch(url)
        before = held.content if held else None
        self._held[url] = _Held(content or before, self._clock())

    def _worth(self, url: str) -> tuple[bool, float]:
        """Return what makes a document worth keeping: that there is one, and that it is new."""
        held = self._held[url]
        return held.content is not None, held.since
