"""Who signs a connection's requests: a fixed authentication, or tokens that lapse."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from astrio.blocks.api import RestApi
from astrio.blocks.errors import RecordRejectedError
from astrio.blocks.tokens import TokenAuth

if TYPE_CHECKING:
    from astrio.tasks.tokens.renewal import Renewal
    from astrio.tasks.tokens.store import Kept

_INVALID_TOKEN = re.compile(r"error\s*=\s*\"?invalid_token\b", re.IGNORECASE)
_LARGEST_COMPLAINT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Signing:
    """What signs one request.

    Attributes:
        auth: as httpx takes it; None: nothing is signed beside what the session signs itself.
        kept: the token behind it, if there is one.
    """

    auth: httpx.Auth | None = None
    kept: Kept | None = None


class Credentials:
    """Signs with what the session was opened with."""

    async def signing(self) -> Signing:
        """Return what signs the next request; a token is had or renewed first.

        Raises:
            CredentialsError: the provider refuses to give one.
            ApiUnavailableError: the provider does not answer.
        """
        return Signing()

    async def after(
        self, signing: Signing, status: int, headers: Mapping[str, str], content: bytes
    ) -> Signing | None:
        """Return what to sign the request with once more, if its answer asks for that.

        Raises as `signing`.
        """
        del signing, status, headers, content
        return None


class TokenCredentials(Credentials):
    """Signs with a token that is renewed in time, or when an API's answer says that it lapsed."""

    def __init__(self, auth: TokenAuth, renewal: Renewal) -> None:
        """Take the authentication, and what has its token."""
        self._auth = auth
        self._renewal = renewal
        self._complains = _predicate(auth.refresh_when)

    async def signing(self) -> Signing:
        """Return a signature with a token that has not lapsed."""
        return self._signed(await self._renewal.current())

    async def after(
        self, signing: Signing, status: int, headers: Mapping[str, str], content: bytes
    ) -> Signing | None:
        """Return a signature with another token, if the answer refuses the one that was used."""
        if signing.kept is None or not self._refused(status, headers, content):
            return None
        kept = await self._renewal.after_refusal(signing.kept)
        return None if kept is None else self._signed(kept)

    def _signed(self, kept: Kept) -> Signing:
        assert kept.token is not None
        return Signing(self._auth.signer(kept.token), kept)

    def _refused(self, status: int, headers: Mapping[str, str], content: bytes) -> bool:
        if status in self._auth.refresh_on_status:
            return True
        if status >= 400 and _INVALID_TOKEN.search(headers.get("www-authenticate", "")):
            return True
        return self._complains is not None and self._complains(content)


def credentials_of(api: RestApi) -> Credentials:
    """Return what signs this connection's requests; the ledger is touched only for tokens.

    Raises:
        ConfigurationError: a variable is not set, or `refresh_when` cannot be read.
    """
    auth = api.auth
    if not isinstance(auth, TokenAuth) or not auth.exchanged:
        return Credentials()
    from astrio.tasks.tokens.renewal import Renewal

    return TokenCredentials(auth, Renewal(api, auth))


def _predicate(text: str) -> Callable[[bytes], bool] | None:
    if not text:
        return None
    from astrio.tasks.mapping.compile import compile_expression
    from astrio.tasks.mapping.context import MappingContext

    holds: Callable[[Any], Any] = compile_expression(text, MappingContext(datetime.now(UTC)))

    def complains(content: bytes) -> bool:
        if len(content) > _LARGEST_COMPLAINT:
            return False
        try:
            return bool(holds(msgspec.json.decode(content)))
        except (msgspec.MsgspecError, RecursionError, RecordRejectedError):
            return False

    return complains
