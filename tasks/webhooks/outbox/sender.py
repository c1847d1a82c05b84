"""The one place that sends deliveries: aiohttp itself, since each POST counts.

Every connection goes to an address that was resolved once and checked (see
`astrio.tasks.http.addresses`), with TLS for the host's own name; redirects, proxies and .netrc of
the environment are never followed or read, and no cookie is kept.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Final

import aiohttp
import httpx

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.http.addresses import (
    AddressGuard,
    Endpoint,
    GuardedResolver,
    Lookup,
    system_lookup,
)
from astrio.tasks.webhooks.outbox.answer import Answer, refusal
from astrio.tasks.webhooks.outbox.excerpt import excerpt_of
from astrio.tasks.webhooks.outbox.receiver import Receiver
from astrio.tasks.webhooks.outbox.schedule import retry_after

MOST_READ: Final = 64 * 1024
_DRAIN_SECONDS: Final = 1.0
_KEPT_ALIVE: Final = 30.0  # seconds; addresses are checked again at least this often when idle
_LONGEST_HEADER: Final = 16 * 1024
_NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=None)


class Sender:
    """Sends deliveries; use it inside one event loop, and close it.

    Args:
        lookup: resolves names; the operating system if not given.
        clock: the real time in epoch seconds, for the timestamps that are signed.
    """

    def __init__(
        self, lookup: Lookup | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._lookup = lookup or system_lookup
        self._clock = clock
        self._sessions: dict[frozenset[Endpoint], tuple[AddressGuard, aiohttp.ClientSession]] = {}

    async def send(self, receiver: Receiver, identity: str, body: bytes) -> Answer:
        """Make one attempt; whatever happens is told by the answer.

        Args:
            receiver: where it goes.
            identity: of the delivery, the same over all attempts.
            body: the raw bytes.
        """
        began = time.perf_counter()
        try:
            answer = await self._attempt(receiver, identity, body)
        except TimeoutError:
            answer = Answer(None, f"There was no answer within {receiver.timeout:g} seconds.")
        except ApiAnswerError:
            answer = Answer(None, _PRIVATE)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            answer = Answer(None, _told(error))
        ms = round((time.perf_counter() - began) * 1000)
        return Answer(answer.status, answer.error, answer.excerpt, ms, answer.retry_after)

    async def close(self) -> None:
        """Close the connections."""
        for _, session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def _attempt(self, receiver: Receiver, identity: str, body: bytes) -> Answer:
        guard, session = self._session(receiver.trusted)
        url = receiver.url
        guard.check(url.host or "", url.port or 443)  # aiohttp resolves no literal addresses
        headers = receiver.signed(identity, int(self._clock()), body)
        deadline = asyncio.get_running_loop().time() + receiver.timeout
        async with asyncio.timeout_at(deadline):
            response = await session.request(
                receiver.method,
                url,
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=_NO_TIMEOUT,
            )
        try:
            return await self._read(response, deadline)
        finally:
            response.release() if response.content.at_eof() else response.close()

    async def _read(self, response: aiohttp.ClientResponse, deadline: float) -> Answer:
        """Read what is left within the deadline; the status counts, whatever becomes of that."""
        status = response.status
        if 200 <= status < 300:
            if not response.content.at_eof():
                # So that the connection can be used again.
                drained = asyncio.get_running_loop().time() + _DRAIN_SECONDS
                await _beginning(response, min(deadline, drained))
            return Answer(status)
        content = await _beginning(response, deadline)
        return Answer(
            status,
            refusal(status),
            excerpt_of(content, response.headers.get("Content-Type", "")),
            retry_after=retry_after(response.headers.get("Retry-After"), self._clock()),
        )

    def _session(self, trusted: frozenset[Endpoint]) -> tuple[AddressGuard, aiohttp.ClientSession]:
        found = self._sessions.get(trusted)
        if found is None:
            guard = AddressGuard(trusted, self._lookup)
            connector = aiohttp.TCPConnector(
                limit=0,  # each target has its own
                ssl=_context(),
                resolver=GuardedResolver(guard),
                use_dns_cache=False,
                keepalive_timeout=_KEPT_ALIVE,
            )
            session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
                max_line_size=_LONGEST_HEADER,
                max_field_size=_LONGEST_HEADER,
                read_bufsize=MOST_READ,
            )
            found = self._sessions[trusted] = guard, session
        return found


_PRIVATE: Final = (
    "The URL leads to a private or local address; nothing was sent. A host of your own network "
    "belongs in the target's allow_private_hosts."
)


@cache
def _context() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=True)


async def _beginning(response: aiohttp.ClientResponse, deadline: float) -> bytes:
    """Return the first 64 KiB of the body, or what has come of it until the deadline."""
    content = bytearray()
    with suppress(aiohttp.ClientError, TimeoutError, OSError):
        async with asyncio.timeout_at(deadline):
            while len(content) < MOST_READ:
                chunk = await response.content.readany()
                if not chunk:
                    break
                content += chunk
    return bytes(content[:MOST_READ])


_SENTENCES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (aiohttp.ClientConnectorCertificateError, "The receiver's certificate cannot be trusted."),
    (aiohttp.ClientSSLError, "No secure connection to the receiver could be made."),
    (aiohttp.ClientConnectorDNSError, "The receiver's host name is unknown."),
    (aiohttp.ServerDisconnectedError, "The receiver closed the connection without an answer."),
    (ConnectionError, "The receiver broke the connection off."),
)


def _told(error: Exception) -> str:
    """Return what went wrong; the errors' own texts may hold the URL."""
    for kind, sentence in _SENTENCES:
        if isinstance(error, kind):
            return sentence
    if isinstance(error, aiohttp.ClientConnectorError):
        # Not the error's own text, which tells the address.
        number = error.os_error.errno
        return f"The receiver cannot be reached: {os.strerror(number) if number else 'no answer'}."
    if isinstance(error, aiohttp.ClientError):
        return f"The receiver's answer cannot be read ({type(error).__name__})."
    return f"The delivery cannot be sent ({type(error).__name__})."
