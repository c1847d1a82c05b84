"""One partition of an integration, as a run reads it, and what would let them do harm."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from astrio.blocks.errors import ConfigurationError
from astrio.flows.integration import Integration
from astrio.flows.partitioning import partitions_of


def as_partition(
    integration: Integration, name: str | None, now: datetime | None = None
) -> Integration:
    """Return the integration with one partition's values among its `vars`.

    Args:
        integration: one with `partitions`; another is returned as it is if `name` is None.
        name: the partition's name; None: the first one.
        now: decides which months there are.

    Raises:
        ConfigurationError: it has no such partition.
    """
    settings = integration.partitions
    if settings is None and name is None:
        return integration
    known = {} if settings is None else partitions_of(settings, now or datetime.now(UTC))
    if name is not None and name not in known:
        meant = get_close_matches(name, known, n=1)
        some = ", ".join(list(known)[:10]) or "none"
        raise ConfigurationError(
            f"{integration.name} has no partition {name!r}.",
            advice=f"Did you mean {meant[0]!r}?" if meant else f"It has: {some}.",
        )
    values = known[next(iter(known)) if name is None else name]
    return integration.model_copy(update={"vars": {**integration.vars, **values}})


def partition_fields(integration: Integration) -> dict[str, Any] | None:
    """Return the fields that each record gets from its partition; None: there are none."""
    settings = integration.partitions
    if settings is None:
        return None
    known = {name: integration.vars[name] for name in settings.over if name in integration.vars}
    return {settings.as_: known}


def refuse_partitions(integration: Integration) -> None:
    """Refuse an integration whose partitions would harm one another.

    Raises:
        ConfigurationError: they would.
    """
    why = next(_harms(integration), None)
    if why is not None:
        raise ConfigurationError(
            f"{integration.name} has partitions, and {why}.",
            advice="Use `mode: upsert` with a key that holds the partition's values, or "
            "`mode: append`.",
        )


def _harms(integration: Integration) -> Iterator[str]:
    push = integration.push
    if any(each.mode == "replace" for each in push.all):
        yield "with `mode: replace` each would put its rows in the place of all others"
    if push.vanished.rows != "keep":
        yield "each would take the rows of the others for vanished (push.vanished)"
    if integration.source.webhook is not None or integration.source.event is not None:
        yield "events come by themselves, so that nothing is read for a partition"
