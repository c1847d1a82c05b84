"""Who sends a request: the peer, or whom a configured proxy names; and who is allowed to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

Network = IPv4Network | IPv6Network
Headers = Sequence[tuple[bytes, bytes]]

_FORWARDED: Final = b"x-forwarded-for"
_MOST_KEPT: Final = 8192
_MAPPED: Final = 96  # leading bits of ::ffff:0:0/96, which hold IPv4 addresses


@lru_cache(maxsize=_MOST_KEPT)
def canonical(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a text stands for, None if it is none.

    An IPv4 address within IPv6 is the IPv4 address; a zone is left out; so are a port and
    brackets, as some proxies write them.
    """
    text = text.strip(" \t")
    if text.startswith("["):
        text, bracket, port = text[1:].partition("]")
        if not bracket or (port and not _is_port(port)):
            return None
    elif text.count(":") == 1:
        text, _, port = text.partition(":")
        if not _is_port(f":{port}"):
            return None
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _is_port(text: str) -> bool:
    return text.startswith(":") and text[1:].isascii() and text[1:].isdigit()


class Networks:
    """A set of networks, asked for the same addresses again and again."""

    def __init__(self, networks: Iterable[str | Network]) -> None:
        """Take networks; those of IPv4 addresses within IPv6 are the IPv4 networks."""
        self._networks = tuple(_plain(ip_network(each)) for each in networks)
        self._known: dict[str, bool] = {}

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._networks)

    def hold(self, address: str) -> bool:
        """Whether an address is in one of them; what is no address never is."""
        known = self._known.get(address)
        if known is None:
            found = canonical(address)
            known = found is not None and any(found in network for network in self._networks)
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            self._known[address] = known
        return known


def _plain(network: Network) -> Network:
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, network.prefixlen - _MAPPED))
    return network


def sender(peer: str, headers: Headers, proxies: Networks) -> str:
    """Return the address of whoever sent a request to us, or to the first of our proxies.

    X-Forwarded-For counts only from a proxy: its right-most hop that is no proxy itself is what
    the outermost of them has seen. Anything left of it may be made up.

    Returns:
        The address as text; "" if a proxy named something that is none.
    """
    if not proxies or not proxies.hold(peer):
        return peer
    lists = [value for name, value in headers if name == _FORWARDED]
    hops = b",".join(lists).decode("latin-1").split(",") if lists else []
    address = peer
    for hop in reversed(hops):
        found = canonical(hop)
        address = "" if found is None else str(found)
        if not proxies.hold(address):
            break
    return address
