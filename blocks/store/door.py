"""The way to what Prefect's server has saved: plain HTTP here, Prefect's client elsewhere.

Only GET is used, so a server that guards itself against cross-site requests answers as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import httpx

from astrio.blocks.errors import CredentialsError, ServerUnavailableError
from astrio.blocks.redaction import redact
from astrio.blocks.store.reach import reached
from astrio.blocks.store.server import Server, configured_server, own_server

_SECONDS = 30.0
_HERE = ("127.0.0.1", "localhost", "::1")


class Door(Protocol):
    """Asks the server."""

    address: str

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON value at `path` below the API's URL; None if there is nothing (404).

        Raises:
            CredentialsError: the server does not let us in.
            ServerUnavailableError: it does not answer, or not as Prefect does.
        """
        ...


class HttpDoor:
    """Asks the server over HTTP, with nothing of Prefect imported."""

    def __init__(self, server: Server) -> None:
        """Take the server; nothing is sent yet."""
        self.address = redact(server.url)
        self._client = httpx.Client(
            base_url=server.url,
            headers=dict(server.headers),
            verify=server.trusted(),
            trust_env=httpx.URL(server.url).host not in _HERE,  # a proxy leads away from here
            timeout=_SECONDS,
            follow_redirects=True,
        )

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON value at `path` (see `Door`)."""
        try:
            answer = self._client.get(path, params=dict(params or {}))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise no_answer(self.address, error) from None
        return judged(answer, self.address)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def judged(answer: httpx.Response, address: str) -> Any:
    """Return the JSON value of an answer, None for 404.

    Raises:
        CredentialsError: 401 or 403.
        ServerUnavailableError: another status, or no JSON.
    """
    if answer.status_code in (401, 403):
        raise CredentialsError(
            f"The Prefect server at {address} refuses us ({answer.status_code}).",
            advice="Set PREFECT_API_AUTH_STRING (a server of your own) or PREFECT_API_KEY "
            "(Prefect Cloud) to what the server expects.",
        )
    if answer.status_code == 404:
        return None
    try:
        answer.raise_for_status()
        return answer.json()
    except (httpx.HTTPStatusError, ValueError) as error:
        raise no_answer(address, error) from None


def no_answer(address: str, error: Exception) -> ServerUnavailableError:
    """Return the error for a server that is down, or is none of Prefect's."""
    why = f"{type(error).__name__}: {error}".partition("\n")[0]
    return ServerUnavailableError(
        f"The Prefect server at {address} cannot be asked for what is saved ({redact(why)}).",
        advice="Start it, or correct PREFECT_API_URL or the active Prefect profile.",
    )


@contextmanager
def http_door() -> Iterator[HttpDoor]:
    """Open the way to the configured server, or to the one that `reaching` knows.

    Raises:
        ServerUnavailableError: there is none.
    """
    server = configured_server()
    if not server.url:
        server = own_server(reached())
    door = HttpDoor(server)
    try:
        yield door
    finally:
        door.close()
