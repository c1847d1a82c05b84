"""An httpx.Auth for bearer tokens that are signed here, not had from a server."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator

import httpx

from astrio.blocks.tokens import Token


class SetOwnToken(httpx.Auth):
    """Sets a bearer token that is made here, and made anew before it lapses."""

    def __init__(
        self, make: Callable[[float], Token], now: Callable[[], float] = time.time
    ) -> None:
        """Take what makes a token, given the time in epoch seconds."""
        self._make = make
        self._now = now
        self._token: Token | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign the request."""
        now = self._now()
        if self._token is None or not self._token.is_fresh(now):
            self._token = self._make(now)
        request.headers["Authorization"] = f"Bearer {self._token.access}"
        yield request
