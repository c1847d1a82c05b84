"""Samples for a source, posted to a gateway as its vendor would."""

from __future__ import annotations

from typing import Final

import aiohttp

from astrio.blocks.errors import RetryableError
from astrio.blocks.webhooks.sending import Signed, sample
from astrio.blocks.webhooks.source import WebhookSource

_SECONDS: Final = 30.0
_SHOWN: Final = 2000


class GatewayUnreachableError(RetryableError):
    """No gateway answers there."""

    kind = "gateway"


def signed_sample(  # noqa: PLR0913, PLR0917 (what a delivery consists of)
    name: str, source: WebhookSource, body: bytes, url: str, delivery_id: str, now: int
) -> Signed:
    """Return a request that the source accepts.

    Raises:
        ConfigurationError: only the vendor can sign, or a secret cannot be resolved.
    """
    where = url.rstrip("/") + source.path_of(name)
    return sample(source, body, url=where, delivery_id=delivery_id, timestamp=now)


async def post(request: Signed) -> tuple[int, str]:
    """Send a request; return the status and the beginning of the answer.

    Raises:
        GatewayUnreachableError: nothing answers.
    """
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(
                request.method,
                request.url,
                data=request.body,
                headers=list(request.headers),
                allow_redirects=False,
            ) as answered,
        ):
            text = await answered.content.read(_SHOWN)
            return answered.status, text.decode("utf-8", "replace")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        where = request.url.partition("?")[0].rpartition("/webhooks")[0] or "there"
        raise GatewayUnreachableError(
            f"No gateway answers at {where}: {type(error).__name__}.",
            advice="Start one: astrio gateway; --url tells where it is.",
        ) from None
