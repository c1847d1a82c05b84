"""Carrying events out as runs of the flow `receive`, in this warm process."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
from prefect import tags
from prefect.exceptions import PrefectHTTPStatusError

from astrio.blocks.errors import ServerUnavailableError
from astrio.blocks.redaction import redact
from astrio.deployments.running import TAG
from astrio.flows.integration import Integration
from astrio.flows.receive import receive
from astrio.tasks.report import RunReport


async def carry(integration: Integration, events: Sequence[str]) -> RunReport:
    """Run the integration on these events of the inbox, and return the run's report.

    Raises:
        ServerUnavailableError: the Prefect server does not answer.
        AstrioError: the run failed.
    """
    try:
        with tags(*integration.tags, TAG):
            return await receive(integration, list(events))
    except (httpx.HTTPError, PrefectHTTPStatusError) as error:
        words = redact(str(error).partition("\n")[0]) or type(error).__name__
        raise ServerUnavailableError(
            f"The Prefect server does not answer ({words}).",
            advice="The events stay in the inbox; they are carried out when it does.",
        ) from None
