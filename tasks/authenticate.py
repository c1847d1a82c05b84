"""The first verb: open a session with an API."""

from __future__ import annotations

from collections.abc import Mapping

from prefect import task
from prefect.cache_policies import NO_CACHE

from astrio.blocks.api import RestApi
from astrio.tasks.http.client import ApiClient
from astrio.tasks.settings import RetrySettings
from astrio.tasks.unexpected import explained


@task(name="authenticate", cache_policy=NO_CACHE, persist_result=False)
async def authenticate(
    api: RestApi,
    *,
    retry: RetrySettings | None = None,
    errors: Mapping[str, str] | None = None,
) -> ApiClient:
    """Resolve the connection's secrets and return an open client; close it with `aclose()`.

    Args:
        api: the connection; its secrets are references such as `${env:NAME}`.
        retry: how failed requests are repeated.
        errors: the integration's own advice by HTTP status.

    Raises:
        ConfigurationError: a referenced variable is not set.
    """
    with explained():
        client = ApiClient(api, retry=retry or RetrySettings(), errors=errors or {})
        return await client.__aenter__()
