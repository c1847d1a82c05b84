"""An integration with partitions: a flow run for each, and one report of all."""

from __future__ import annotations

from datetime import UTC, datetime

from astrio.blocks.errors import ConfigurationError
from astrio.flows.carriers import carrier, own_pool
from astrio.flows.carrying_parts import carry_out_parts
from astrio.flows.integration import Integration
from astrio.flows.parting import part_name
from astrio.flows.partitioning import partitions_of
from astrio.flows.partitions import refuse_partitions
from astrio.flows.tally import Tally
from astrio.tasks.destinations.settings import SqlTarget
from astrio.tasks.destinations.targets.webhook import WebhookDestination
from astrio.tasks.options import PartOptions, RunOptions
from astrio.tasks.report import RunReport

TAG = "partition"


async def fan_out(integration: Integration, options: RunOptions) -> RunReport:
    """Run every partition, several at once: by workers of this run's own pool, or in this process.

    Raises:
        AstrioError: the partitions cannot be told, or some failed; the others are done.
    """
    refuse(integration, options)
    settings = integration.partitions
    assert settings is not None
    names = partitions_of(settings, datetime.now(UTC))
    given = options.model_dump(exclude={"partition"})
    parts = [PartOptions(**given, partition=name) for name in names]
    tally = Tally(integration.name, [part_name(each) for each in parts], {}, patient=True)
    carry = carrier(integration, await own_pool(), (*integration.tags, TAG))
    return await carry_out_parts(tally, parts, carry, settings.parallel)


def refuse(integration: Integration, options: RunOptions) -> None:
    """Refuse what cannot be done with all partitions at once.

    Raises:
        ConfigurationError: it says what, and what to do instead.
    """
    refuse_partitions(integration)
    if options.dry_run:
        raise ConfigurationError(
            "A dry run shows the difference that one partition makes.",
            advice="Name it: --partition NAME=VALUE.",
        )
    push = integration.push
    if len(push.all) > 1 or not isinstance(push.to, str | SqlTarget | WebhookDestination):
        raise ConfigurationError(
            f"{integration.name} has partitions, and is not pushed to one SQL database, where each "
            "has a watermark and a lease of its own.",
            advice="Push to a SQL database, or leave `partitions` out.",
        )
