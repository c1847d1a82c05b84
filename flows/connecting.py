"""The connection of an integration, with its `vars` filled in."""

from __future__ import annotations

from datetime import UTC, datetime

from astrio.blocks.api import RestApi, check_base_url
from astrio.blocks.errors import ConfigurationError
from astrio.flows.integration import Integration
from astrio.tasks.mapping.template import render


def resolved_api(integration: Integration, started: datetime | None = None) -> RestApi:
    """Return the connection with `vars` and `{{timestamp}}` filled in; secrets stay references.

    Args:
        integration: its `source.api` and `vars`.
        started: when the run started, UTC; now if not given.

    Raises:
        ConfigurationError: a placeholder cannot be filled in, or the result is no base URL.
    """
    api = integration.source.api
    scope = {"timestamp": (started or datetime.now(UTC)).isoformat(), **integration.vars}
    base_url = str(render(api.base_url, scope))
    if "${" not in base_url:
        try:
            check_base_url(base_url)
        except ValueError as error:
            raise ConfigurationError(
                f"`source.api.base_url` of {integration.name}, with its vars filled in: {error}.",
                advice="Mend `vars` or `base_url`.",
            ) from error
    headers = {name: str(render(value, scope)) for name, value in api.headers.items()}
    return api.model_copy(update={"base_url": base_url, "headers": headers})
