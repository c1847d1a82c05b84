"""What the gateway knows of each source: its path, limits, scheme and live secrets."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.rates import per_second
from astrio.blocks.webhooks.own_paths import OWN
from astrio.blocks.webhooks.schemes.base import Received, Scheme, Verdict
from astrio.blocks.webhooks.schemes.standard_webhooks import StandardWebhooks
from astrio.blocks.webhooks.source import WebhookSource
from astrio.deployments.gateway.addresses import Networks
from astrio.deployments.gateway.rates import Bucket

_MOST: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Route:
    """A source as requests meet it.

    Attributes:
        name: of the source; "" for the route that stands for all that do not exist.
        methods: that it takes.
        scheme: judges requests.
        secrets: live ones, newest first.
        path: where its requests arrive.
        url: as the vendor knows it, without a query.
        most: bytes that a body may have.
        allowed: networks that requests may come from; none: all.
        bucket: of the source's rate.
        content_type: the only one that is taken; empty: any.
        delivery_id: where the id of a delivery is, if not where the scheme says.
        keep_seconds: for how long events are kept.
        allows: networks and vendors' names as they are written.
        warnings: what is accepted and yet not wise.
    """

    name: str
    methods: frozenset[str]
    scheme: Scheme
    secrets: tuple[str, ...]
    path: str = ""
    url: str = ""
    most: int = _MOST
    allowed: Networks = Networks(())  # noqa: RUF009 (it holds nothing, and stays so)
    bucket: Bucket | None = None
    content_type: bytes = b""
    delivery_id: str = ""
    keep_seconds: float = 0
    allows: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def verify(self, scope: Mapping[str, Any], body: bytes, now: float, proxied: bool) -> Verdict:
        """Judge a request by the source's scheme."""
        return self.scheme.verify(self.received(scope, body, proxied), self.secrets, now)

    def received(self, scope: Mapping[str, Any], body: bytes, proxied: bool) -> Received:
        """Return a request as schemes take it."""
        url = self.url
        if self.scheme.secret_in_path:
            url += scope["path"].removeprefix(self.path)
        if query := scope["query_string"]:
            url = f"{url}?{query.decode('latin-1')}"
        return Received(scope["method"], url, scope["headers"], body, proxied)


class Routes:
    """Every route by its path; what is nobody's leads to a decoy.

    Attributes:
        methods: that any source takes.
        by_path: the routes.
    """

    def __init__(self, sources: Mapping[str, WebhookSource], ranges: Path | None = None) -> None:
        """Resolve the secrets of sources by name.

        Args:
            sources: by name.
            ranges: folder of vendors' refreshed lists of networks.

        Raises:
            ConfigurationError: a secret cannot be resolved, or two sources have the same path.
        """
        self.by_path: dict[str, Route] = {}
        for name, source in sources.items():
            path = source.path_of(name)
            if path in self.by_path or path in OWN:
                owner = "the gateway" if path in OWN else self.by_path[path].name
                raise ConfigurationError(
                    f"The path {path} of the webhook source `{name}` is {owner}'s already.",
                    advice="Give it another path.",
                )
            self.by_path[path] = _route(name, path, source, ranges)
        self._open = {
            path: route for path, route in self.by_path.items() if route.scheme.secret_in_path
        }
        taken = (route.methods for route in self.by_path.values())
        self.methods: frozenset[str] = frozenset({"POST"}).union(*taken)
        self._decoys = _decoys(self.by_path.values(), self.methods)

    def find(self, path: str, method: str) -> Route:
        """Return the route of a request; the decoy if it is nobody's."""
        route = self.by_path.get(path)
        if route is None and self._open:
            route = self._open.get(path.rpartition("/")[0])
        if route is None or method not in route.methods:
            return self._decoys[hash(path) % len(self._decoys)]
        return route


def _route(name: str, path: str, source: WebhookSource, ranges: Path | None) -> Route:
    try:
        live = source.resolved_secrets()
    except ConfigurationError as error:
        raise ConfigurationError(
            f"The webhook source `{name}`: {error.message}", advice=error.advice
        ) from error
    return Route(
        name=name,
        methods=frozenset({source.method, *source.scheme.methods}),
        scheme=source.scheme,
        secrets=live,
        path=path,
        url=source.public_url or path,
        most=source.max_body_bytes,
        allowed=Networks(source.networks(ranges)),
        bucket=Bucket(per_second(source.rate), source.burst) if source.rate else None,
        content_type=source.content_type.lower().encode(),
        delivery_id=source.delivery_id,
        keep_seconds=source.keep_days * 86400.0,
        allows=source.allow,
        warnings=source.warnings(),
    )


def _decoys(routes: Iterable[Route], methods: frozenset[str]) -> list[Route]:
    """Return routes that verify as the real ones do, so that nobody finds out which exist."""
    made = [
        replace(each, name="", methods=methods, allowed=Networks(()), bucket=None)
        for each in routes
    ]
    return made or [Route("", methods, StandardWebhooks(), (secrets.token_hex(32),))]
