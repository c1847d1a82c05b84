"""Somebody agrees: the authorization code grant with PKCE, and the device code grant."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from astrio.blocks.api import RestApi
from astrio.blocks.auth.oauth2_authorization_code import AuthorizationCodeAuth
from astrio.blocks.auth.oauth2_device_code import DeviceCodeAuth
from astrio.blocks.errors import ApiAnswerError, CredentialsError
from astrio.blocks.oauth2 import OAuth2Auth
from astrio.blocks.redaction import redact
from astrio.blocks.secrets import resolve
from astrio.blocks.tokens import Token, TokenRequest
from astrio.tasks.tokens.exchange import exchange
from astrio.tasks.tokens.store import Entry, TokenStore

_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_SLOWER = 5.0  # seconds (RFC 8628, 3.5)
_ADVICE = "Begin anew: astrio connections authorize NAME."


@dataclass(frozen=True, slots=True)
class Agreed:
    """What came of it.

    Attributes:
        token: what was granted; it is kept already.
        missing: scopes that were asked for and not granted.
        paused: deployments that were paused for want of this.
    """

    token: Token
    missing: tuple[str, ...]
    paused: tuple[str, ...]


class Consent:
    """One authorization code grant (RFC 6749, 4.1; RFC 7636): a page to visit, an answer back.

    `state` and the verifier are made for this one visit; the answer is taken once.
    """

    def __init__(
        self,
        api: RestApi,
        auth: AuthorizationCodeAuth,
        redirect_uri: str,
        store: TokenStore | None = None,
    ) -> None:
        """Take the connection, and where the provider sends the answer."""
        self._api = api
        self._auth = auth
        self._redirect_uri = redirect_uri
        self._store = store or TokenStore()
        self._state = secrets.token_urlsafe(32)
        self._verifier = secrets.token_urlsafe(64)

    @property
    def url(self) -> str:
        """The page where the owner agrees."""
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri

        auth, challenge = self._auth, _challenge(self._verifier)
        return str(
            prepare_grant_uri(
                resolve(auth.authorization_url),
                resolve(auth.client_id),
                "code",
                redirect_uri=self._redirect_uri,
                scope=auth.scope() or None,
                state=self._state,
                code_challenge=challenge,
                code_challenge_method="S256",
                **auth.authorization_params,
            )
        )

    async def finish(self, answered: str) -> Agreed:
        """Exchange the code in the address that the provider led back to, and keep the token.

        Args:
            answered: the whole address, or its query.

        Raises:
            CredentialsError: it was refused, or is not the answer to this visit.
            ApiUnavailableError: the token endpoint cannot be reached.
        """
        code = self._code(answered)
        request = self._auth.grant(
            grant_type="authorization_code",
            code=code,
            redirect_uri=self._redirect_uri,
            code_verifier=self._verifier,
        )
        return await _kept(self._api, self._auth, request, self._store)

    def _code(self, answered: str) -> str:
        from httpx import QueryParams

        query = QueryParams(answered.strip().partition("?")[2] or answered.strip())
        state, self._state = self._state, ""
        if not state or not secrets.compare_digest(query.get("state", "").encode(), state.encode()):
            raise CredentialsError(
                "The answer does not belong to this authorisation (its state differs).",
                advice=_ADVICE,
            )
        if error := query.get("error"):
            said = redact(f"{error} {query.get('error_description', '')}".strip())
            raise CredentialsError(f"The provider refused: {said[:200]}.", advice=_ADVICE)
        issuer = query.get("iss")
        if self._auth.issuer and issuer and issuer != self._auth.issuer:
            raise CredentialsError(
                "The answer comes from another issuer (RFC 9207).", advice="Check `issuer`."
            )
        code: str = query.get("code", "")
        if not code:
            raise CredentialsError("The answer holds no code.", advice=_ADVICE)
        return code


@dataclass(frozen=True, slots=True)
class DevicePrompt:
    """What the owner is shown: where to go and what to enter."""

    url: str
    code: str
    complete_url: str | None


async def agree_by_device(
    api: RestApi,
    auth: DeviceCodeAuth,
    show: Callable[[DevicePrompt], None],
    store: TokenStore | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Agreed:
    """Show a code, and wait until it was entered on another device (RFC 8628).

    Raises:
        CredentialsError: it was refused, or nobody entered it in time.
        ApiUnavailableError: the provider cannot be reached.
    """
    url = resolve(auth.device_authorization_url)
    started = auth.grant(scope=auth.scope())
    answer = await exchange(api, TokenRequest(url, started.form, started.json, started.headers))
    told: Mapping[str, Any] = answer.body if isinstance(answer.body, Mapping) else {}
    device, code = told.get("device_code"), told.get("user_code")
    place = told.get("verification_uri") or told.get("verification_url")
    if not (isinstance(device, str) and isinstance(code, str) and isinstance(place, str)):
        raise ApiAnswerError(
            f"The device authorization endpoint gave no code ({answer.status}).",
            advice="Check device_authorization_url, client_id and scopes.",
        )
    show(DevicePrompt(place, code, told.get("verification_uri_complete")))
    wait = float(told.get("interval", 5))
    ends = time.monotonic() + float(told.get("expires_in", 600))
    while time.monotonic() < ends:
        await sleep(wait)
        request = auth.grant(grant_type=_DEVICE_GRANT, device_code=device)
        answer = await exchange(api, request)
        problem = answer.body.get("error") if isinstance(answer.body, Mapping) else None
        if problem not in ("authorization_pending", "slow_down"):
            token = auth.read_token(answer, None, time.time())
            return await _keep(auth, token, store or TokenStore())
        wait += _SLOWER if problem == "slow_down" else 0
    raise CredentialsError("Nobody entered the code in time.", advice=_ADVICE)


def _challenge(verifier: str) -> str:
    from authlib.oauth2 import rfc7636

    create: Callable[[str], str] = rfc7636.create_s256_code_challenge
    return create(verifier)


async def _kept(api: RestApi, auth: OAuth2Auth, request: TokenRequest, store: TokenStore) -> Agreed:
    answer = await exchange(api, request)
    return await _keep(auth, auth.read_token(answer, None, time.time()), store)


async def _keep(auth: OAuth2Auth, token: Token, store: TokenStore) -> Agreed:
    entry = Entry(auth.identity(), auth.account, auth.kind())
    paused = await asyncio.to_thread(store.replace, entry, token)
    granted = set((token.scope or "").replace(",", " ").split())
    missing = tuple(scope for scope in auth.scopes if granted and scope not in granted)
    return Agreed(token, missing, tuple(paused))
