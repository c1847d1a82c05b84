"""Who a run is to the destination that it writes to."""

from __future__ import annotations

from astrio.flows.integration import Integration
from astrio.flows.mapping_version import mapping_version
from astrio.flows.unchanged_pages import page_fingerprint
from astrio.tasks.account import Account
from astrio.tasks.destinations.base import RunIdentity
from astrio.tasks.options import RunOptions


def identity_of(
    integration: Integration, account: Account, options: RunOptions, *, reads_source: bool
) -> RunIdentity:
    """Return a run's identity.

    Args:
        integration: what it is a run of.
        account: its id and start.
        options: what it does differently from the file.
        reads_source: it reads the source, and the whole stream: no part of it, and no replay.

    Raises:
        ConfigurationError: unchanged pages are to be skipped, and cannot be.
    """
    return RunIdentity(
        account.run_id,
        integration.name,
        started=account.started,
        mapping=mapping_version(integration),
        pages=page_fingerprint(integration, options) if reads_source else None,
    )
