"""What `astrio up` tells of a folder's files: mistakes, what is missing, where events go."""

from __future__ import annotations

from collections.abc import Iterator

from astrio.deployments.deploying.collecting import Collected
from astrio.flows.trigger import TriggerFile
from astrio.flows.variables import missing_variables


def news(collected: Collected) -> Iterator[str]:
    """Yield the lines that people should see of what the files hold as they are now."""
    for lines in collected.mistakes.values():
        yield from lines
    yield from collected.warnings
    for found in (*collected.found, *collected.fed):
        if missing := missing_variables(found.integration):
            yield _needs(found.integration.name, missing, "it fails")
    for each in collected.triggers:
        yield _route(each.trigger)
        if missing := missing_variables(each.trigger):
            yield _needs(each.trigger.name, missing, "its events wait")


def _needs(name: str, missing: list[str], what: str) -> str:
    return f"warning: {name} needs {', '.join(missing)}, not set here: {what}"


def _route(trigger: TriggerFile) -> str:
    """Return which events go to how many webhooks, and no address: it may hold a token."""
    count = len(trigger.push.to)
    return f"{trigger.name}: {', '.join(trigger.on)} to {count} webhook{'s' * (count != 1)}"
