"""The connections of an integration: saved ones read, `vars` filled in."""

from __future__ import annotations

from datetime import UTC, datetime

from astrio.blocks.api import RestApi
from astrio.blocks.store import reader
from astrio.blocks.webhooks.source import WebhookSource
from astrio.flows.integration import Integration
from astrio.flows.variables import read_secrets
from astrio.tasks.connection import filled_api
from astrio.tasks.destinations.api.settings import Surroundings
from astrio.tasks.destinations.other import OtherTarget
from astrio.tasks.destinations.settings import PushSettings, SqlTarget
from astrio.tasks.destinations.several.settings import together


def connected(integration: Integration) -> Integration:
    """Return the integration with every saved connection and secret read, anew for this run.

    What it holds from then on may be secret: it is for the process that sends, and is never
    stored, logged or passed to another.

    Raises:
        AstrioError: see `astrio.blocks.store.reader`; nothing was sent to the API.
    """
    reader.forget()
    ready = with_source(integration)
    ready = ready.model_copy(update={"push": _within(with_target(ready.push), ready)})
    read_secrets(ready)
    return ready


def with_source(integration: Integration) -> Integration:
    """Return the integration with its saved API read; raises as `connected`."""
    source = integration.source
    if not isinstance(source.api, str):
        return integration
    api = reader.rest_api(source.api)
    return integration.model_copy(update={"source": source.model_copy(update={"api": api})})


def webhook_of(integration: Integration) -> tuple[str, WebhookSource] | None:
    """Return name and settings of the webhook source that feeds the integration, None if none does.

    One that is written out has the integration's name. Raises as `connected`.
    """
    webhook = integration.source.webhook
    if webhook is None:
        return None
    if isinstance(webhook, str):
        return webhook, reader.webhook_source(webhook)
    return integration.name, webhook


def webhook_name(integration: Integration) -> str | None:
    """Return the name of the webhook source that feeds the integration, None if none does."""
    webhook = integration.source.webhook
    return webhook if isinstance(webhook, str) or webhook is None else integration.name


def with_target(push: PushSettings) -> PushSettings:
    """Return `push` with its saved database, or what else is saved, read; raises as `connected`.

    Of several destinations, each of them.
    """
    if len(push.all) > 1:
        return together(tuple(map(with_target, push.all)))
    if isinstance(push.to, OtherTarget):
        place = push.to.connected()
        table = push.table if place.tables else place.stream
        return push.model_copy(update={"to": place, "table": table})
    if not isinstance(push.to, str):
        return push
    target = SqlTarget.saved(reader.database(push.to), push.to)
    return push.model_copy(update={"to": target})


def _within(push: PushSettings, integration: Integration) -> PushSettings:
    """Return `push` with what its destination may need of the rest of the file."""
    if len(push.all) > 1:
        return together(tuple(_within(each, integration) for each in push.all))
    if not isinstance(push.to, OtherTarget):
        return push
    beside = Surroundings(
        variables=integration.vars,
        retry=integration.retry,
        errors=integration.errors,
        mapped=integration.map is not None or integration.transform is not None,
    )
    return push.model_copy(update={"to": push.to.within(beside)})


def resolved_api(integration: Integration, started: datetime | None = None) -> RestApi | None:
    """Return the connection with `vars` and `{{timestamp}}` filled in; secrets stay references.

    None: the source names no API.

    Args:
        integration: its API, read by `with_source` if it is saved, and `vars`.
        started: when the run started, UTC; now if not given.

    Raises:
        ConfigurationError: a placeholder cannot be filled in, or the result is no base URL.
    """
    if integration.source.api is None:
        return None
    scope = {"timestamp": (started or datetime.now(UTC)).isoformat(), **integration.vars}
    return filled_api(integration.source.connection, scope, f"source.api of {integration.name}")
