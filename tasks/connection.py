"""A connection with `{{var}}` in its base URL and headers filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from astrio.blocks.api import RestApi, check_base_url
from astrio.blocks.errors import ConfigurationError
from astrio.tasks.mapping.template import render


def filled_api(api: RestApi, scope: Mapping[str, Any], named: str) -> RestApi:
    """Return the connection with placeholders filled in; secrets stay references.

    Args:
        api: the connection.
        scope: what expressions may name.
        named: what messages call it, such as `source.api` of shop-orders.

    Raises:
        ConfigurationError: a placeholder cannot be filled in, or the result is no base URL.
    """
    base_url = str(render(api.base_url, scope))
    if "${" not in base_url:
        try:
            check_base_url(base_url)
        except ValueError as error:
            key, _, owner = named.partition(" ")
            raise ConfigurationError(
                f"`{key}.base_url` {owner}, with its vars filled in: {error}.",
                advice="Mend `vars` or `base_url`.",
            ) from error
    headers = {name: str(render(value, scope)) for name, value in api.headers.items()}
    return api.model_copy(update={"base_url": base_url, "headers": headers})
