"""One credential's token: had when it is needed, renewed by one process for all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from random import random as unit_random
from typing import Final

from astrio.blocks.api import RestApi
from astrio.blocks.errors import ApiUnavailableError, AstrioError
from astrio.blocks.tokens import (
    GrantRefusedError,
    NeedsAuthorisationError,
    Token,
    TokenAuth,
)
from astrio.tasks.tokens.exchange import AnswerLostError, NotSentError, exchange
from astrio.tasks.tokens.store import TERM, Claimed, Entry, Kept, State, TokenStore

_ATTEMPTS: Final = 4
_POLL: Final = 0.05
_LOST: Final = (
    "The provider's answer to a refresh was lost, and with it the refresh token that replaces the "
    "one it used up."
)


class Renewal:
    """The token of one credential, shared with all processes through the token store.

    A lapsed token is renewed once, by whoever is first; the others wait for what it brings. The
    new token is durable before it is used.
    """

    def __init__(  # noqa: PLR0913 (clock, sleep and chance are passed in)
        self,
        api: RestApi,
        auth: TokenAuth,
        store: TokenStore | None = None,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = unit_random,
    ) -> None:
        """Take the connection and its authentication.

        Raises:
            ConfigurationError: a variable is not set.
        """
        self.auth = auth
        self.entry = Entry(auth.identity(), auth.account, auth.kind())
        self._api = api
        self._store = store or TokenStore()
        self._now = now
        self._sleep = sleep
        self._random = random
        self._jitter = random()
        self._kept = Kept()
        self._lock = asyncio.Lock()

    async def current(self, *, older_than: float | None = None) -> Kept:
        """Return a token that may be used, renewed if it has to be.

        Args:
            older_than: renew a token that was had before this moment, even if it has not lapsed.

        Raises:
            NeedsAuthorisationError: somebody has to authorise the connection.
            CredentialsError: the provider refuses the client.
            ApiUnavailableError: the token endpoint cannot be reached.
        """
        if self._usable(self._kept, older_than):
            return self._kept
        async with self._lock:
            self._kept = await self._have(None, older_than)
        return self._kept

    async def after_refusal(self, used: Kept) -> Kept | None:
        """Return another token than the one that an API has refused; None: there is no other.

        Raises as `current`.
        """
        async with self._lock:
            if self._kept.version == used.version:
                self._kept = await self._have(used.version, None)
        before, after = used.token, self._kept.token
        changed = before is None or after is None or before.access != after.access
        return self._kept if changed else None

    def _usable(self, kept: Kept, older_than: float | None) -> bool:
        if kept.token is None or kept.state is not State.LIVE:
            return False
        old = older_than is not None and kept.renewed_at < older_than
        return not old and kept.token.is_fresh(self._now(), self._jitter)

    async def _have(self, refused: int | None, older_than: float | None) -> Kept:
        """Read, and renew or wait for whoever renews, until there is a usable token."""
        patience = self._now() + 2 * TERM
        while True:
            kept = await asyncio.to_thread(self._store.read, self.entry)
            if kept.version != refused and self._usable(kept, older_than):
                return kept
            if kept.state is State.NEEDS_AUTHORISATION:
                raise self._needs(kept.reason)
            at_risk = self.auth.at_risk(kept.token)
            claim = lambda: self._store.claim(self.entry, kept.version, at_risk=at_risk)  # noqa: E731, B023 (called at once)
            match await asyncio.to_thread(claim):
                case Claimed.OURS:
                    return await _to_the_end(self._renewed(kept))
                case Claimed.LOST:
                    await self._refuse(kept, _LOST)
                case Claimed.TAKEN if self._now() > patience:
                    raise ApiUnavailableError(
                        "Another process has been renewing the token for minutes.",
                        advice="Run again later; see which processes of astrio hang.",
                    )
                case _:
                    await self._sleep(_POLL * (1 + self._random()))

    async def _renewed(self, kept: Kept) -> Kept:
        """Ask for a token, and keep it; the right to do so is ours.

        Whatever becomes of it, the right is given back.
        """
        try:
            token = await self._asked(kept)
        except GrantRefusedError as error:
            await self._refuse(kept, error.message)
            raise self._needs(error.message) from None
        except AnswerLostError:
            if self.auth.at_risk(kept.token):
                await self._refuse(kept, _LOST)
                raise self._needs(_LOST) from None
            await asyncio.to_thread(self._store.release, self.entry)
            raise
        except NeedsAuthorisationError as error:
            await asyncio.to_thread(self._store.release, self.entry)
            raise self._needs(error.message) from None
        except BaseException:
            await asyncio.to_thread(self._store.release, self.entry)
            raise
        await asyncio.to_thread(self._store.save, self.entry, kept.version, token)
        return await asyncio.to_thread(self._store.read, self.entry)

    async def _asked(self, kept: Kept) -> Token:
        for attempt in range(1, _ATTEMPTS + 1):
            request = self.auth.token_request(kept.token, self._now())
            try:
                answer = await exchange(self._api, request)
                return self.auth.read_token(answer, kept.token, self._now())
            except (NotSentError, AnswerLostError) as error:
                final = attempt == _ATTEMPTS
                if final or (isinstance(error, AnswerLostError) and self._is_at_risk(kept)):
                    raise
            await self._sleep(0.1 * 2**attempt * (1 + self._random()))
            await asyncio.to_thread(
                self._store.claim, self.entry, kept.version, at_risk=self._is_at_risk(kept)
            )
        raise AssertionError("unreachable")  # pragma: no cover (the loop returns or raises)

    def _is_at_risk(self, kept: Kept) -> bool:
        return self.auth.at_risk(kept.token)

    async def _refuse(self, kept: Kept, reason: str) -> None:
        await asyncio.to_thread(self._store.refuse, self.entry, kept.version, reason)

    def _needs(self, reason: str) -> AstrioError:
        name = self.auth.account
        called = f"`{name}`" if name else f"with client ID {getattr(self.auth, 'client_id', '')}"
        how = f"astrio connections authorize {name or 'NAME'}"
        if self.auth.kind() == "oauth2_refresh_token":
            how = "give it a new refresh_token"
        return NeedsAuthorisationError(
            f"The connection {called} needs a new authorisation. {reason}",
            advice=f"Authorise it: {how}.",
            account=name,
        )


async def _to_the_end(work: Awaitable[Kept]) -> Kept:
    """Let the exchange end even if the run is cancelled: its answer may come only once."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
