"""Which addresses a request may go to: public ones, and what the operator configured.

A link, redirect or download URL that an API answers with may name any host, and a host's name may
resolve to anything, so addresses are checked after resolution, and what was checked is what is
connected to (server-side request forgery, DNS rebinding).
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from astrio.blocks.errors import ApiAnswerError

Address = IPv4Address | IPv6Address
Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
Endpoint = tuple[str, int]
"""A host in lower case, without a dot at its end, and a port."""

# IANA's special-purpose registries (RFC 6890), whatever Python's own `is_global` makes of them;
# then multicast and class E, and the address at which Azure answers its virtual machines.
# fmt: off
_NOT_PUBLIC = tuple(map(IPv4Network, (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3", "168.63.129.16/32",
)))
# fmt: on
# Of IPv6 only global unicast is public; in it, what leads to IPv4 (Teredo, 6to4), protocol
# assignments and documentation are not. NAT64, mapped and compatible addresses lie outside.
_UNICAST = IPv6Network("2000::/3")
_NOT_UNICAST = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
# What getaddrinfo takes for IPv4: 127.1, 0177.0.0.1, 0x7f.1, 2130706433.
_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+)){0,3}", re.IGNORECASE)


def is_public(address: Address) -> bool:
    """Whether an address lies in the public internet."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        return address in _UNICAST and not any(address in net for net in _NOT_UNICAST)
    return not any(address in net for net in _NOT_PUBLIC)


def literal_address(host: str) -> Address | None:
    """Return the address that a host is written as, in any form that connects; None: a name."""
    text = host.strip("[]").partition("%")[0].rstrip(".")
    try:
        return ip_address(text)
    except ValueError:
        pass
    if not _NUMERIC.fullmatch(text):
        return None
    try:
        return IPv4Address(socket.inet_aton(text))
    except OSError:
        return None


class AddressGuard:
    """Tells where a host may be reached; give one to each pool of connections.

    Args:
        trusted: endpoints that the operator configured, which may be anywhere.
        lookup: resolves a host and a port to addresses; raises OSError.
    """

    def __init__(self, trusted: Collection[Endpoint] = (), lookup: Lookup | None = None) -> None:
        self._trusted = frozenset(trusted)
        self._lookup = lookup or system_lookup

    def check(self, host: str, port: int) -> None:
        """Refuse a host that is written as an address which may not be reached.

        Raises:
            ApiAnswerError: it is private.
        """
        address = literal_address(host)
        if address and not self._trusts(host, port) and not is_public(address):
            raise _refused(host)

    async def addresses(self, host: str, port: int) -> list[str]:
        """Return the addresses to connect to, each of them checked.

        Raises:
            ApiAnswerError: one of them is private, and the operator did not configure the host.
            OSError: the host is unknown.
        """
        found = list(await self._lookup(host, port))
        if not self._trusts(host, port):
            for text in found:
                address = literal_address(text)
                if address is None or not is_public(address):
                    raise _refused(host)
        return found

    def _trusts(self, host: str, port: int) -> bool:
        return endpoint(host, port) in self._trusted


class GuardedResolver(AbstractResolver):
    """aiohttp's way to the addresses of a guard."""

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the checked addresses of a host; raises as `AddressGuard.addresses`."""
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in await self._guard.addresses(host, port)
            if family in (socket.AF_UNSPEC, socket.AF_INET6 if ":" in address else socket.AF_INET)
        ]

    async def close(self) -> None:
        """Hold nothing."""


def endpoint(host: str, port: int) -> Endpoint:
    """Return host and port as they are compared."""
    return host.strip("[]").lower().rstrip("."), port


async def system_lookup(host: str, port: int) -> list[str]:
    """Return the addresses that the operating system knows for a host, in its order."""
    found = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
    )
    return list(dict.fromkeys(_text(address) for *_, address in found))


def _text(address: tuple[Any, ...]) -> str:
    """Return a socket's address as text, of a link-local one with its scope."""
    scope = address[3] if len(address) == 4 else 0
    return f"{address[0]}%{scope}" if scope else str(address[0])


def _refused(host: str) -> ApiAnswerError:
    return ApiAnswerError(
        f"The API leads to {host}, which is a private or local address; nothing was sent there.",
        advice="Do not trust this link before the API's vendor has explained it. A host of your "
        "own network belongs in allow_private_hosts.",
    )
