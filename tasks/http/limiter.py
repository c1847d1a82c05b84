"""Keeping within an API's limits: its declared rate, and what its answers ask for."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from math import ceil
from typing import TYPE_CHECKING, Final

from astrio.blocks.api import RestApi
from astrio.blocks.secrets import resolve

if TYPE_CHECKING:
    from astrio.tasks.limits.store import LimitStore

_CLAIMED_AHEAD: Final = 0.1  # seconds
_MOST_CLAIMED: Final = 100
_SLACK: Final = 1.03  # a process that wakes late sends close to the next one
_UNITS: Final = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
Sleep = Callable[[float], Awaitable[None]]


class Limiter:
    """Lets requests pass at once, or not before an answer's quota is there again."""

    def __init__(self, now: Callable[[], float] = time.time, sleep: Sleep = asyncio.sleep) -> None:
        """Take what tells the time in epoch seconds, and what waits."""
        self._now = now
        self._sleep = sleep
        self._blocked_until = 0.0

    async def turn(self) -> None:
        """Wait until a request may be sent."""
        waited_for = 0.0
        while self._blocked_until > max(waited_for, self._now()):
            waited_for = self._blocked_until
            await self._sleep(waited_for - self._now())

    async def refused(self, seconds: float) -> None:
        """Heed that a request was refused for so long; the request itself waits anyway."""

    async def block(self, seconds: float) -> None:
        """Send nothing for so long, as an answer has asked."""
        self._blocked_until = max(self._blocked_until, self._now() + seconds)


class SharedLimiter(Limiter):
    """Spaces requests evenly over all processes that use the credential (GCRA).

    Moments are claimed from the ledger a few at a time; one that could not be used is let go, so
    that what was late is never made up for by a burst.
    """

    def __init__(
        self,
        store: LimitStore,
        id_: str,
        rate: float,
        now: Callable[[], float] = time.time,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Take the store, the credential, and its rate in requests a second."""
        super().__init__(now, sleep)
        self._store = store
        self._id = id_
        self._interval = _SLACK / rate
        self._count = min(max(ceil(rate * _CLAIMED_AHEAD), 1), _MOST_CLAIMED)
        self._claimed: deque[float] = deque()
        self._lock = asyncio.Lock()

    async def turn(self) -> None:
        """Wait for the next moment of one's own."""
        moment = await self._next()
        await self._sleep(max(moment - self._now(), 0.0))
        await super().turn()

    async def refused(self, seconds: float) -> None:
        """Let no process send for so long."""
        await self.block(seconds)

    async def block(self, seconds: float) -> None:
        """Let no process send for so long."""
        await super().block(seconds)
        self._claimed.clear()
        await asyncio.to_thread(self._store.block, self._id, self._blocked_until)

    async def _next(self) -> float:
        async with self._lock:
            while True:
                while self._claimed:
                    moment = self._claimed.popleft()
                    if moment >= self._now() - self._interval:
                        return moment
                claim = (self._id, self._count, self._interval, self._now())
                self._claimed.extend(await asyncio.to_thread(self._store.claim, *claim))


def limiter_of(api: RestApi, sleep: Sleep = asyncio.sleep) -> Limiter:
    """Return the limiter of a connection's credential; the ledger is touched only for a rate.

    Raises:
        ConfigurationError: a variable is not set.
    """
    if not api.limits.rate:
        return Limiter(sleep=sleep)
    from astrio.tasks.limits.store import LimitStore

    return SharedLimiter(
        LimitStore(), _credential(api), requests_a_second(api.limits.rate), sleep=sleep
    )


def requests_a_second(text: str) -> float:
    """Read a rate such as `50/s`, `100/min`, `1000/h`, `10/10s`."""
    count, _, per = text.replace(" ", "").partition("/")
    digits = per.rstrip("smindh")
    return float(count) / (float(digits or 1) * _UNITS[per[len(digits) :]])


def _credential(api: RestApi) -> str:
    """Return what tells a credential's quota from others, in a form that gives no secret away."""
    auth = api.auth
    held = {name: _resolved(getattr(auth, name)) for name in sorted(auth.held_secrets())}
    told = json.dumps([resolve(api.base_url), auth.kind(), api.limits.rate])
    secret = json.dumps(held, sort_keys=True).encode()
    return hashlib.scrypt(secret, salt=told.encode(), n=2**14, r=8, p=1, dklen=16).hex()


def _resolved(value: object) -> object:
    if isinstance(value, dict):
        return {name: _resolved(item) for name, item in value.items()}
    return resolve(str(value or ""))
