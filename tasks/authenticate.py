"""The first verb: open a session with an API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError, rate_limit

from astrio.blocks.api import RestApi
from astrio.blocks.errors import ConfigurationError
from astrio.tasks.http.client import ApiClient
from astrio.tasks.settings import RetrySettings
from astrio.tasks.unexpected import explained


@task(name="authenticate", cache_policy=NO_CACHE, persist_result=False)
async def authenticate(
    api: RestApi | None,
    *,
    retry: RetrySettings | None = None,
    errors: Mapping[str, str] | None = None,
) -> ApiClient | None:
    """Resolve the connection's secrets and return an open client; close it with `aclose()`.

    Args:
        api: the connection; its secrets are references such as `${env:NAME}`. None: the source
            needs no API, and there is no session.
        retry: how failed requests are repeated.
        errors: the integration's own advice by HTTP status.

    Raises:
        ConfigurationError: a referenced variable is not set.
    """
    if api is None:
        return None
    with explained():
        client = ApiClient(
            api,
            retry=retry or RetrySettings(),
            errors=errors or {},
            gate=_gate(api.limits.prefect_limit),
        )
        return await client.__aenter__()


def _gate(name: str) -> Callable[[], Awaitable[None]] | None:
    """Return what lets a request pass by a global concurrency limit of Prefect.

    A limit that does not exist, or has no `slot_decay_per_second`, would let everything pass.
    """
    if not name:
        return None

    async def gate() -> None:
        try:
            await rate_limit(name, strict=True)
        except ConcurrencySlotAcquisitionError as error:
            raise ConfigurationError(
                f"Prefect's global concurrency limit `{name}` cannot be used: {error}.",
                advice=f"prefect gcl create {name} --limit 10 --slot-decay-per-second 5",
            ) from None

    return gate
