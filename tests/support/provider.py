"""An OAuth 2 provider and an API behind it, on loopback, as strict as a real one.

It rotates refresh tokens, and revokes the whole family when one is used twice (RFC 9700, 4.14.2).
`faults` are what the token endpoint does next: a status, `DROP` (the grant is used up, and the
connection closed without an answer), or seconds to wait.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from aiohttp import web
from tests.support.server import answer, serve

DROP: Final = "drop"
SECRET: Final = "canary-client-secret-81c2"


@dataclass
class Provider:
    """The provider's state, and what it has seen.

    Attributes:
        life: seconds that an access token lasts.
        rotates: whether a refresh gives another refresh token.
        granted: the grant type of each token given.
        refused: the error of each grant refused.
        times: when each token was given, epoch seconds.
    """

    life: float = 3600
    rotates: bool = True
    url: str = ""
    faults: list[Any] = field(default_factory=list)
    granted: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    live: dict[str, float] = field(default_factory=dict)
    refreshable: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    codes: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    devices: dict[str, int] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def first_refresh_token(self) -> str:
        """Give a refresh token as if somebody had agreed."""
        token = f"canary-refresh-{next(self._numbers)}"
        self.refreshable.add(token)
        return token

    def revoke(self) -> None:
        """Let no access token be good any longer."""
        self.live.clear()

    async def token(self, request: web.Request) -> Any:
        """The token endpoint."""
        form = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        self.asked.append({**form, "authorization": request.headers.get("authorization", "")})
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, float):
            await asyncio.sleep(fault)
        elif isinstance(fault, int):
            return answer({"error": "server_error"}, fault)
        if not self._knows(form, request):
            return self._refusal("invalid_client", 401)
        given = self._given(form)
        if fault == DROP:
            assert request.transport is not None
            request.transport.close()
        return given

    def _knows(self, form: dict[str, str], request: web.Request) -> bool:
        header = request.headers.get("authorization", "")
        if header.startswith("Basic "):
            pair = base64.b64decode(header.removeprefix("Basic ")).decode().split(":")
            return [unquote(part) for part in pair] == ["me", SECRET]
        secret = form.get("client_secret")
        proof = form.get("client_assertion") or form.get("assertion")
        return bool(proof) or (form.get("client_id") == "me" and secret in (None, SECRET))

    def _given(self, form: dict[str, str]) -> Any:
        grant = form.get("grant_type", "")
        match grant:
            case "refresh_token":
                if (refusal := self._spent(form.get("refresh_token", ""))) is not None:
                    return refusal
            case "authorization_code":
                challenge = self.codes.pop(form.get("code", ""), None)
                if challenge != s256(form.get("code_verifier", "")):
                    return self._refusal("invalid_grant")
            case "urn:ietf:params:oauth:grant-type:device_code":
                if (pending := self._pending(form.get("device_code", ""))) is not None:
                    return pending
        self.granted.append(grant)
        self.times.append(time.time())
        access = f"canary-access-{next(self._numbers)}"
        self.live[access] = time.time() + self.life
        body: dict[str, Any] = {"access_token": access, "expires_in": self.life}
        first = grant in ("authorization_code", "urn:ietf:params:oauth:grant-type:device_code")
        if first or (grant == "refresh_token" and self.rotates):
            body["refresh_token"] = self.first_refresh_token()
        return body | {"token_type": "Bearer"}

    def _spent(self, token: str) -> Any:
        """Use a refresh token up; the second use revokes all of its family."""
        if token in self.used:
            self.refreshable.clear()
            self.live.clear()
        if token not in self.refreshable:
            return self._refusal("invalid_grant")
        if self.rotates:
            self.refreshable.discard(token)
            self.used.add(token)
        return None

    def _pending(self, device: str) -> Any:
        left = self.devices.get(device)
        if left is None:
            return self._refusal("expired_token")
        self.devices[device] = left - 1
        return answer({"error": "authorization_pending"}, 400) if left > 0 else None

    def _refusal(self, error: str, status: int = 400) -> web.Response:
        self.refused.append(error)
        return answer({"error": error, "error_description": "refused"}, status)

    def authorize(self, request: web.Request) -> Any:
        """The page where the owner agrees: they do, at once."""
        query = request.query
        code = f"code-{next(self._numbers)}"
        self.codes[code] = query["code_challenge"]
        target = f"{query['redirect_uri']}?code={code}&state={query['state']}"
        raise web.HTTPFound(target)

    async def device(self, request: web.Request) -> Any:
        """The device authorization endpoint (RFC 8628, 3.2)."""
        await request.read()
        self.devices["device-1"] = 2
        return {
            "device_code": "device-1",
            "user_code": "WDJB-MJHT",
            "verification_uri": f"{self.url}/enter",
            "expires_in": 600,
            "interval": 0,
        }

    def orders(self, request: web.Request) -> Any:
        """The API: it wants a token that has not lapsed."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.live.get(token, 0) < time.time():
            complaint = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            return answer({"error": "token expired"}, 401, complaint)
        return {"orders": [{"id": 1}, {"id": 2}]}


@contextmanager
def provider(**settings: Any) -> Iterator[Provider]:
    """Run a provider until the block ends."""
    made = Provider(**settings)
    routes = {
        "/token": made.token,
        "/authorize": made.authorize,
        "/device": made.device,
        "/orders": made.orders,
    }
    with serve(routes) as server:
        made.url = server.url
        yield made


def s256(verifier: str) -> str:
    """Return the challenge of a verifier (RFC 7636, 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
