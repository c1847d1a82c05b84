"""The gateway's own pages: /health/live, /health/ready and /metrics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

from astrio.blocks.errors import AstrioError
from astrio.deployments.gateway.addresses import Networks, sender
from astrio.deployments.gateway.answers import NOT_FOUND, Answer, answer, try_later
from astrio.deployments.gateway.counting import BOUNDS, Counts
from astrio.deployments.gateway.outbox_metrics import outbox_metrics
from astrio.tasks.webhooks.inbox.looking import Backlog
from astrio.tasks.webhooks.outbox.stats import Outbox, outbox

_LIVE: Final = answer(200, b'{"status": "live"}')
_READY: Final = answer(200, b'{"status": "ready"}')
_METRICS: Final = CONTENT_TYPE_LATEST.encode()
_FRESH: Final = 2.0  # seconds for which a look at the inbox is good enough
_FORWARDING: Final = (b"x-forwarded-for", b"forwarded", b"x-real-ip")

Waiting = Callable[[], Mapping[str, Backlog]]


class Pages:
    """Answers the gateway's own pages; those that tell of sources only to known networks.

    Attributes:
        trouble: why the inbox cannot be written, None if it can.
        closing: the gateway ends: whoever sends requests here shall send them elsewhere.
    """

    def __init__(self, counts: Counts, backlog: Waiting, to: Networks, proxies: Networks) -> None:
        """Take what is told, to whom, and the proxies that say who asks."""
        self.trouble: Exception | None = None
        self.closing = False
        self._counts = counts
        self._backlog = backlog
        self._to = to
        self._proxies = proxies
        self._looked: tuple[float, Mapping[str, Backlog]] | None = None
        self._sent: tuple[float, Outbox | None] | None = None

    async def answer(self, path: str, scope: Mapping[str, Any]) -> Answer:
        """Return the page."""
        if path == "/health/live":
            return _LIVE
        if path != "/metrics":
            return try_later(503, 1) if self.trouble or self.closing else _READY
        if not self._may_see(scope):
            return NOT_FOUND
        page = generate_latest(
            _registry(self._counts, await self._waiting(), await self._outgoing())
        )
        return answer(200, page, _METRICS)

    def _may_see(self, scope: Mapping[str, Any]) -> bool:
        peer = scope["client"][0] if scope["client"] else ""
        address = sender(peer, scope["headers"], self._proxies)
        # A proxy that nobody has configured must not lend its own address to strangers.
        forwarded = any(name in _FORWARDING for name, _ in scope["headers"])
        return self._to.hold(address) and (not forwarded or self._proxies.hold(peer))

    async def _waiting(self) -> Mapping[str, Backlog]:
        now = time.monotonic()
        if self._looked is None or self._looked[0] < now - _FRESH:
            try:
                self._looked = now, await asyncio.to_thread(self._backlog)
            except AstrioError:
                return {}  # what has been counted here is told all the same
        return self._looked[1]

    async def _outgoing(self) -> Outbox | None:
        now = time.monotonic()
        if self._sent is None or self._sent[0] < now - _FRESH:
            try:
                self._sent = now, await asyncio.to_thread(outbox, time.time())
            except AstrioError:
                return None
        return self._sent[1]


def _registry(
    counts: Counts, waiting: Mapping[str, Backlog], outgoing: Outbox | None
) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    now = time.time()
    told = [*_events(counts), *_inbox(waiting, now), *outbox_metrics(outgoing, now)]
    registry.register(_Told(told))
    return registry


class _Told(Collector):
    """Hands over what was counted elsewhere."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _events(counts: Counts) -> Iterator[Metric]:
    accepted = CounterMetricFamily(
        "astrio_webhook_accepted", "New events, durable.", labels=["source"]
    )
    for source, count in counts.accepted.items():
        accepted.add_metric([source], count)
    duplicates = CounterMetricFamily(
        "astrio_webhook_duplicates", "Events that were there already.", labels=["source"]
    )
    for source, count in counts.duplicates.items():
        duplicates.add_metric([source], count)
    refused = CounterMetricFamily(
        "astrio_webhook_refused", "Requests that were refused.", labels=["source", "reason"]
    )
    for (source, reason), count in counts.refused.items():
        refused.add_metric([source, reason], count)
    yield from (accepted, duplicates, refused, _latency(counts))


def _latency(counts: Counts) -> Metric:
    buckets, total = [], 0
    for bound, count in zip((*map(str, BOUNDS), "+Inf"), counts.latency, strict=True):
        total += count
        buckets.append((bound, float(total)))
    name = "astrio_webhook_latency_seconds"
    family = HistogramMetricFamily(name, "From a request's head to its durable row.")
    family.add_metric([], buckets, counts.seconds)
    return family


def _inbox(waiting: Mapping[str, Backlog], now: float) -> Iterator[Metric]:
    depth = GaugeMetricFamily(
        "astrio_webhook_waiting", "Events not done and not dead.", labels=["source"]
    )
    age = GaugeMetricFamily(
        "astrio_webhook_oldest_seconds", "Age of the oldest that waits.", labels=["source"]
    )
    dead = GaugeMetricFamily("astrio_webhook_dead", "Events given up.", labels=["source"])
    for source, backlog in waiting.items():
        depth.add_metric([source], backlog.waiting)
        age.add_metric([source], max(now - backlog.oldest, 0) if backlog.oldest else 0)
        dead.add_metric([source], backlog.dead)
    yield from (depth, age, dead)
