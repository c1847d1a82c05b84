"""Networks by address or by a vendor's name."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from ipaddress import IPv4Network, IPv6Network, ip_network

Network = IPv4Network | IPv6Network


def vendors() -> list[str]:
    """Return the names of the vendors whose networks are known."""
    names = (each.name for each in files("astrio.blocks.webhooks.ranges").iterdir())
    return sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))


def networks_of(text: str) -> tuple[Network, ...]:
    """Return the network that an address stands for, or all those of a vendor.

    Raises:
        ValueError: it is neither.
    """
    if text in vendors():
        return published(text)
    try:
        return (ip_network(text),)
    except ValueError:
        known = ", ".join(vendors())
        hint = f", nor one of {known}" if known else ""
        raise ValueError(f"{text!r} is no network such as 203.0.113.0/24{hint}") from None


@cache
def published(vendor: str) -> tuple[Network, ...]:
    """Return the networks that a vendor has published, as of the file's `date`."""
    file = files("astrio.blocks.webhooks.ranges") / f"{vendor}.json"
    return tuple(map(ip_network, json.loads(file.read_text(encoding="utf-8"))["networks"]))
