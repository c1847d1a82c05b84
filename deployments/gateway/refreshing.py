"""Vendors' lists of networks, refreshed once a day if that is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from astrio.blocks.errors import ApiAnswerError
from astrio.blocks.webhooks.ranges.reading import published, vendors
from astrio.blocks.webhooks.ranges.refreshing import refreshed, save
from astrio.tasks.ledger.home import astrio_home

EVERY_SECONDS: Final = 86400.0

Fetch = Callable[[str], Awaitable[bytes | None]]


def ranges_folder() -> Path:
    """Return where refreshed lists are kept."""
    return astrio_home() / "ranges"


async def refresh(
    names: Iterable[str], folder: Path, fetch: Fetch, tell: Callable[[str], object]
) -> list[str]:
    """Refresh the lists of vendors; one that cannot be had, or is odd, stays as it was.

    Args:
        names: what sources allow; only vendors' names count.
        folder: where lists are kept.
        fetch: returns what is at a URL, None if it cannot be had.
        tell: shows a line to the user.

    Returns:
        The vendors whose networks have changed.
    """
    changed = []
    for vendor in sorted(set(names) & set(vendors())):
        before = published(vendor, folder)
        if not before.document:
            continue
        document = await fetch(before.document)
        try:
            if document is None:
                raise ApiAnswerError(f"{before.document} does not answer.")  # noqa: TRY301 (told below)
            found = refreshed(vendor, document, datetime.now(UTC).date())
        except ApiAnswerError as error:
            tell(f"warning: the networks of {vendor} stay those of {before.date}: {error}")
            continue
        await asyncio.to_thread(save, vendor, found, folder)
        if set(found.networks) != set(before.networks):
            changed.append(vendor)
    return changed
