"""Networks by address or by a vendor's name."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from ipaddress import IPv4Network, IPv6Network, ip_network

import msgspec

Network = IPv4Network | IPv6Network
_FOLDER = "astrio.blocks.webhooks.ranges"


class Published(msgspec.Struct, frozen=True):
    """What a vendor has published.

    Attributes:
        source: where.
        date: when it was read there, ISO.
        document: URL of the list that a machine can read, empty if there is none.
        networks: what the vendor sends webhooks from.
        places: where in that list they are: dotted paths; an empty one is the list itself.
    """

    source: str
    date: str
    networks: tuple[str, ...]
    document: str = ""
    places: tuple[str, ...] = ()


@cache
def vendors() -> tuple[str, ...]:
    """Return the names of the vendors whose networks are known."""
    names = (each.name for each in files(_FOLDER).iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in names if name.endswith(".json")))


@cache
def published(vendor: str) -> Published:
    """Return what a vendor has published."""
    return msgspec.json.decode((files(_FOLDER) / f"{vendor}.json").read_bytes(), type=Published)


def networks_of(text: str) -> tuple[Network, ...]:
    """Return the network that an address stands for, or all those of a vendor.

    Raises:
        ValueError: it is neither.
    """
    if text in vendors():
        return tuple(map(ip_network, published(text).networks))
    try:
        return (ip_network(text),)
    except ValueError:
        raise ValueError(
            f"{text!r} is no network such as 203.0.113.0/24, nor one of {', '.join(vendors())}"
        ) from None
