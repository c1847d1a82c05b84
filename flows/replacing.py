"""`mode: replace`: which runs may put their rows in the place of all others."""

from __future__ import annotations

from astrio.blocks.errors import ConfigurationError
from astrio.flows.integration import Integration
from astrio.tasks.options import RunOptions

_PARTIAL = ("limit", "since", "until")


def refuse_a_part(integration: Integration, options: RunOptions) -> None:
    """Let no run read only a part of the source if its rows replace the whole table.

    Raises:
        ConfigurationError: it would, by an option or by `source.incremental`.
    """
    if all(push.mode != "replace" for push in integration.push.all):
        return
    given = [f"--{name}" for name in _PARTIAL if getattr(options, name) is not None]
    if given:
        raise ConfigurationError(
            f"{integration.name} replaces its table, and {' and '.join(given)} would leave only a "
            "part of the records in it.",
            advice=f"Run it without {' and '.join(given)}; `astrio preview` shows a few records.",
        )
    if integration.source.incremental is not None:
        raise ConfigurationError(
            f"{integration.name}: `mode: replace` would delete what an incremental run does not "
            "read again.",
            advice="Leave `source.incremental` out, or use `mode: upsert`.",
        )
