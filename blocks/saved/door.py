"""The way to Prefect's server through Prefect's own client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client

from astrio.blocks.redaction import redact
from astrio.blocks.store.door import judged, no_answer


class PrefectDoor:
    """Asks the server by Prefect's settings: its credentials, TLS, proxies, temporary servers."""

    def __init__(self, client: SyncPrefectClient) -> None:
        """Take an open client."""
        self._client = client
        self.address = redact(str(client.api_url))

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON value at `path` (see `astrio.blocks.store.door.Door`)."""
        try:
            route = cast("Any", path)  # typed as the templates that Prefect itself fills in
            answer = self._client.request("GET", route, params=dict(params or {}))
        except httpx.HTTPStatusError as error:
            return judged(error.response, self.address)
        except (httpx.HTTPError, RuntimeError) as error:
            raise no_answer(self.address, error) from None
        return judged(answer, self.address)


@contextmanager
def prefect_door() -> Iterator[PrefectDoor]:
    """Open the way to the server that Prefect uses now."""
    with get_client(sync_client=True) as client:
        yield PrefectDoor(client)
