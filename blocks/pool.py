"""An httpx.Auth that spreads requests over several tokens by what is left of their quotas."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

import httpx

_REFUSED = (403, 420, 429)
_REMAINING = ("ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining")
_RESET = ("ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset", "retry-after")
_FIRST_SECOND = 1e9
_FIRST_MILLISECOND = 1e12
_UNTOLD_REST = 60.0


@dataclass(slots=True)
class _Member:
    """A token's header value, what is left of its quota, and until when there is none."""

    value: str = field(repr=False)
    left: float = math.inf
    rests_until: float = 0.0

    def rank(self, now: float) -> tuple[bool, float]:
        return self.rests_until <= now, self.left if self.rests_until <= now else -self.rests_until


class TokenPool(httpx.Auth):
    """Signs with the token that has most left."""

    def __init__(
        self, header: str, values: Sequence[str], now: Callable[[], float] = time.time
    ) -> None:
        """Take the header, and its value for each token, with secrets resolved."""
        self._header = header
        self._members = [_Member(value) for value in values]
        self._now = now

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign; where a token has nothing left, sign with each other that has."""
        untried = list(self._members)
        while untried:
            member = max(untried, key=lambda each: each.rank(self._now()))
            untried.remove(member)
            member.left -= 1  # requests at the same time go to others
            request.headers[self._header] = member.value
            response = yield request
            self._note(member, response)
            others = any(each.rests_until <= self._now() for each in untried)
            if not (self._is_out(member, response) and others):
                return

    def _is_out(self, member: _Member, response: httpx.Response) -> bool:
        return response.status_code in _REFUSED and member.rests_until > self._now()

    def _note(self, member: _Member, response: httpx.Response) -> None:
        left = _first_number(response, _REMAINING)
        if left is not None:
            member.left = left
        if left == 0 or (left is None and response.status_code == 429):
            member.rests_until = self._now() + self._rest(response)
            member.left = math.inf  # unknown again after the rest

    def _rest(self, response: httpx.Response) -> float:
        told = _first_number(response, _RESET)
        if told is None:
            return _UNTOLD_REST
        if told < _FIRST_SECOND:
            return max(told, 0.0)
        return max((told / 1000 if told >= _FIRST_MILLISECOND else told) - self._now(), 0.0)


def _first_number(response: httpx.Response, names: Sequence[str]) -> float | None:
    for name in names:
        try:
            number = float(response.headers.get(name, ""))
        except ValueError:
            continue
        if math.isfinite(number):
            return number
    return None
