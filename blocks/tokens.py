"""Authentications whose token is had from a server, lapses, and is had again."""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from astrio.blocks.auth.base import Auth
from astrio.blocks.errors import ConfigurationError, CredentialsError
from astrio.blocks.redaction import remember
from astrio.blocks.secrets import resolve

if TYPE_CHECKING:
    import httpx

_LONGEST_LEEWAY = 60.0
_LEEWAY_SHARE = 0.1
_USUAL_LIFE = 3600.0


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it was granted.

    Attributes:
        access: what signs requests.
        obtained_at: when it was granted, epoch seconds.
        expires_at: when it lapses, epoch seconds; None: it is used until it is refused.
        refresh: what the next token is had with, if the server gave such a thing.
        rotates: whether a refresh has brought another refresh token; None: not seen yet.
        scope: what was granted, if it was told.
    """

    access: str = field(repr=False)
    obtained_at: float
    expires_at: float | None = None
    refresh: str | None = field(default=None, repr=False)
    rotates: bool | None = None
    scope: str | None = None

    def __post_init__(self) -> None:
        """Let no message show it."""
        for secret in (self.access, self.refresh):
            remember(secret or "")

    def is_fresh(self, now: float, jitter: float = 0.0) -> bool:
        """Whether it may still be used: a tenth of its life before its end, at most a minute.

        `jitter` in [0, 1) moves that moment up to 10 % earlier, so that not all refresh at once.
        """
        if self.expires_at is None:
            return True
        life = max(self.expires_at - self.obtained_at, 0.0)
        leeway = min(_LONGEST_LEEWAY, life * _LEEWAY_SHARE) * (1 + jitter * _LEEWAY_SHARE)
        return now < self.expires_at - leeway

    def to_json(self) -> dict[str, Any]:
        """Return JSON values from which `Token(**values)` makes an equal one."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A request to a token endpoint, with its secrets resolved; never shown.

    `form` is sent URL-encoded, `json` as JSON; one of them is None.
    """

    url: str
    form: Mapping[str, str] | None = field(default=None, repr=False)
    json: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What a token endpoint answered; `body` is the decoded JSON, None if it was none."""

    status: int
    body: Any = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)


class GrantRefusedError(CredentialsError):
    """The server refuses the grant itself: only a new authorisation helps (RFC 6749, 5.2)."""


class NeedsAuthorisationError(CredentialsError):
    """Somebody has to authorise the connection (again); `account` names it."""

    def __init__(self, message: str, *, advice: str = "", account: str = "") -> None:
        """Take the name under which the connection is saved, if it is."""
        super().__init__(message, advice=advice)
        self.account = account


class TokenAuth(Auth):
    """Base of the authentications whose tokens `astrio.tasks.tokens` keeps, shares and renews.

    It says what to ask for a token and how to read the answer; it sends nothing itself.

    Attributes:
        told_apart_by: the fields that make it another credential.
        grows_from: the secrets that its first token is had with.
        lapses_unused: whether what renews it may lapse if nobody uses it for long.
    """

    refresh_on_status: tuple[int, ...] = Field(
        default=(401,), description="Statuses that mean that the token has lapsed."
    )
    refresh_when: str = Field(
        default="",
        description="Expression over an answer's body that means that the token has lapsed.",
    )
    account: str = Field(
        default="",
        max_length=200,
        description="Tells several authorisations of the same client apart; the name it is saved "
        "under, if left out.",
    )
    told_apart_by: ClassVar[tuple[str, ...]] = ("type", "token_url", "client_id", "account")
    grows_from: ClassVar[tuple[str, ...]] = ()
    lapses_unused: ClassVar[bool] = False

    @property
    def exchanged(self) -> bool:
        """Whether the token is had from a server, and so kept in the token store."""
        return True

    def identity(self) -> str:
        """Return what tells this credential from all others.

        It holds the secrets that tokens grow from, so that others begin anew, but in a form that
        nobody can guess them from (RFC 7914).

        Raises:
            ConfigurationError: a variable is not set.
        """
        told = {name: _plainly(getattr(self, name)) for name in self.told_apart_by}
        held = {name: _resolved(getattr(self, name)) for name in self.grows_from}
        salt, secret = (json.dumps(each, sort_keys=True).encode() for each in (told, held))
        return hashlib.scrypt(secret, salt=salt, n=2**14, r=8, p=1, dklen=16).hex()

    def to_httpx_auth(self) -> httpx.Auth | None:
        """Make sure that its secrets can be resolved; requests are signed with `signer`."""
        for name in self.held_secrets():
            _resolved(getattr(self, name))
        return None

    @abstractmethod
    def token_request(self, held: Token | None, now: float) -> TokenRequest:
        """Return what to ask for a new token, given the one that was held before.

        Raises:
            NeedsAuthorisationError: there is nothing to ask with until somebody authorises it.
            ConfigurationError: a variable is not set.
        """

    @abstractmethod
    def read_token(self, answer: TokenAnswer, held: Token | None, now: float) -> Token:
        """Return the token that a successful answer brings.

        Raises:
            GrantRefusedError: the grant is no longer good.
            CredentialsError: the client is refused.
            ApiAnswerError: there is no token in it.
        """

    def at_risk(self, held: Token | None) -> bool:  # noqa: ARG002 (only some kinds look at it)
        """Whether a lost answer to `token_request` would leave nothing to ask with again."""
        return False

    def signer(self, token: Token) -> httpx.Auth:
        """Return what signs requests with a token."""
        from astrio.blocks.signing import SetHeaders

        return SetHeaders({"Authorization": f"Bearer {token.access}"})


def granted(  # noqa: PLR0913 (the fields of an answer are given by name)
    access: str,
    held: Token | None,
    now: float,
    *,
    life: float | None = _USUAL_LIFE,
    refresh: str | None = None,
    scope: str | None = None,
) -> Token:
    """Return the token of an answer; a refresh token that is not renewed is kept.

    Args:
        access: the access token.
        held: the token before, None at first.
        now: when the answer came, epoch seconds.
        life: seconds until it lapses; None: it does not.
        refresh: the refresh token that came with it.
        scope: the scope that came with it.
    """
    before = held.refresh if held else None
    token = Token(
        access=access,
        obtained_at=now,
        expires_at=None if life is None else now + life,
        refresh=refresh or before,
        scope=scope or (held.scope if held else None),
        rotates=held.rotates if held else None,
    )
    if before is None:
        return token
    return replace(token, rotates=bool(refresh and refresh != before) or bool(token.rotates))


Choice = Literal["auto", "always", "never"]


def _plainly(value: Any) -> Any:
    return resolve(value) if isinstance(value, str) else value


def _resolved(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _resolved(item) for name, item in value.items()}
    text = resolve(str(value or ""))
    if not text.isprintable() and "-----BEGIN" not in text:
        raise ConfigurationError(
            "A secret holds a line break or another character that cannot be sent.",
            advice="Keep it in an environment variable: ${env:NAME}.",
        )
    remember(text)
    return text
