"""What /metrics tells of deliveries: by target and event, never an address or a payload."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from astrio.tasks.webhooks.outbox.stats import Fare, Outbox

_LABELS: Final = ("target", "event")
_GAUGES: Final[tuple[tuple[str, str, Callable[[Fare, float], float | None]], ...]] = (
    ("waiting", "Deliveries that have not ended.", lambda fare, _: fare.waiting),
    (
        "oldest_seconds",
        "Age of the oldest that waits.",
        lambda fare, now: max(now - fare.oldest, 0) if fare.oldest else 0,
    ),
    ("dead", "Dead letters.", lambda fare, _: fare.dead),
    ("delivered", "Delivered within the last hour.", lambda fare, _: fare.delivered),
    ("attempts", "Attempts within the last hour.", lambda fare, _: fare.attempts),
    ("success_ratio", "Share of them that succeeded.", lambda fare, _: fare.success_rate),
)


def outbox_metrics(found: Outbox | None, now: float) -> Iterator[Metric]:
    """Yield the metrics of the outbox as it was looked at; `now` is in epoch seconds."""
    if found is None:
        return
    for name, text, value in _GAUGES:
        family = GaugeMetricFamily(f"astrio_delivery_{name}", text, labels=_LABELS)
        for fare in found.fares:
            if (number := value(fare, now)) is not None:
                family.add_metric([fare.target, fare.event], number)
        yield family
    yield _latency(found)
    unrouted = GaugeMetricFamily("astrio_outbox_unrouted", "Events no deliverer has looked at.")
    unrouted.add_metric([], found.unrouted)
    yield unrouted
    disabled = GaugeMetricFamily(
        "astrio_target_disabled", "1: nothing is sent to it.", labels=["target"]
    )
    for target in found.targets:
        disabled.add_metric([target.id], 1 if target.disabled else 0)
    yield disabled


def _latency(found: Outbox) -> Metric:
    family = GaugeMetricFamily(
        "astrio_delivery_latency_ms",
        "Latency of attempts within the last hour.",
        labels=(*_LABELS, "quantile"),
    )
    for fare in found.fares:
        for quantile, value in (("0.5", fare.p50_ms), ("0.95", fare.p95_ms), ("0.99", fare.p99_ms)):
            if value is not None:
                family.add_metric([fare.target, fare.event, quantile], value)
    return family
