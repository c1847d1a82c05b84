"""Networks by address or by a vendor's name.

What was refreshed since (`astrio.blocks.webhooks.ranges.refreshing`) stands in a folder and takes
the place of what astrio came with.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

import msgspec

from astrio.blocks.errors import ConfigurationError

Network = IPv4Network | IPv6Network
_FOLDER = "astrio.blocks.webhooks.ranges"


class Published(msgspec.Struct, frozen=True):
    """What a vendor has published.

    Attributes:
        source: where.
        date: when it was read there, ISO.
        networks: what the vendor sends webhooks from.
        document: URL of the list that a machine can read, empty if there is none.
        places: the fields of that list that hold the networks.
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


def published(vendor: str, folder: Path | None = None) -> Published:
    """Return what a vendor has published, as refreshed into the folder, or as astrio knows it.

    Raises:
        ConfigurationError: the refreshed file cannot be read.
    """
    shipped = _shipped(vendor)
    refreshed = folder / f"{vendor}.json" if folder else None
    if refreshed is None or not refreshed.exists():
        return shipped
    try:
        found = msgspec.json.decode(refreshed.read_bytes(), type=Published)
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigurationError(
            f"The networks of {vendor} in {refreshed} cannot be read: {type(error).__name__}.",
            advice="Delete the file, or refresh it.",
        ) from None
    return found if found.date >= shipped.date else shipped


def networks_of(text: str, folder: Path | None = None) -> tuple[Network, ...]:
    """Return the network that an address stands for, or all those of a vendor.

    Raises:
        ValueError: it is neither.
        ConfigurationError: the refreshed file of a vendor cannot be read.
    """
    if text in vendors():
        return tuple(map(ip_network, published(text, folder).networks))
    try:
        return (ip_network(text),)
    except ValueError:
        raise ValueError(
            f"{text!r} is no network such as 203.0.113.0/24, nor one of {', '.join(vendors())}"
        ) from None


@cache
def _shipped(vendor: str) -> Published:
    return msgspec.json.decode((files(_FOLDER) / f"{vendor}.json").read_bytes(), type=Published)
