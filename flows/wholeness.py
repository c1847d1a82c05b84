"""Whether a run reads every record that the source has."""

from __future__ import annotations

from astrio.flows.integration import Integration
from astrio.tasks.incremental import Window
from astrio.tasks.options import RunOptions


def reads_everything(integration: Integration, options: RunOptions, window: Window) -> bool:
    """Whether what a run does not meet is not in the source, if it comes to the source's end.

    Where the API is asked for an upper bound, a record that changes meanwhile leaves the window.
    """
    if (options.since, options.until, options.limit) != (None, None, None):
        return False
    incremental = integration.source.incremental
    if incremental is None:
        return integration.source.webhook is None and integration.source.event is None
    return options.full_refresh and window.start is None and incremental.end_param is None
