"""Taking a vendor's newest list; whoever calls this has downloaded it."""

from __future__ import annotations

import os
from datetime import date
from ipaddress import IPv6Network, ip_network
from pathlib import Path
from typing import Any

import msgspec

from astrio.blocks.errors import ApiAnswerError
from astrio.blocks.webhooks.ranges.reading import Network, Published, published

_WIDEST = {4: 8, 6: 24}
_MOST = 10_000


def refreshed(vendor: str, document: bytes, today: date) -> Published:
    """Return what a vendor publishes now.

    Args:
        vendor: one of `vendors()` whose list a machine can read.
        document: what is at `Published.document`.
        today: UTC.

    Raises:
        ApiAnswerError: it is not the list that it was: it has no networks, one that is none, or
            one so wide or so near that it cannot be the vendor's.
    """
    before = published(vendor)
    try:
        told: Any = msgspec.json.decode(document)
        lists = [told[place] for place in before.places if place in told]
        networks = [_checked(text) for each in lists for text in each]
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError) as error:
        raise _unusable(vendor, str(error) or type(error).__name__) from None
    if not 0 < len(networks) <= _MOST:
        raise _unusable(vendor, "it holds no networks, or far too many")
    return msgspec.structs.replace(
        before, networks=tuple(map(str, networks)), date=today.isoformat()
    )


def save(vendor: str, found: Published, folder: Path) -> Path:
    """Write what was refreshed, whole or not at all; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{vendor}.json"
    part = folder / f".{vendor}.{os.getpid()}.part"
    part.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2))
    part.replace(file)
    return file


def _checked(text: Any) -> Network:
    network = ip_network(str(text))
    version = 6 if isinstance(network, IPv6Network) else 4
    if network.prefixlen < _WIDEST[version] or not network.is_global:
        raise ValueError(f"{network} cannot be a vendor's network")
    return network


def _unusable(vendor: str, why: str) -> ApiAnswerError:
    return ApiAnswerError(
        f"The list of networks of {vendor} cannot be used: {why[:200]}.",
        advice="The networks known before stay in use; look at the vendor's page.",
    )
