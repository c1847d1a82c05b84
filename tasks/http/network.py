"""httpcore's network with checked addresses; imported for HTTP/2 only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import httpcore

from astrio.tasks.http.addresses import AddressGuard

SocketOption = (
    tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
)


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to the addresses that a guard has checked, and to no others.

    TLS is begun later and with the host's own name, so certificates are checked as ever.
    """

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        self._inner: Any = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's interface)
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers.

        Raises:
            ApiAnswerError: the host's address is private.
            httpcore.ConnectError: the host is unknown, or nothing answers.
        """
        try:
            addresses = await self._guard.addresses(host, port)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        failure: Exception = httpcore.ConnectError("the host has no address")
        for address in addresses:
            try:
                stream: httpcore.AsyncNetworkStream = await self._inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return stream
        raise failure
