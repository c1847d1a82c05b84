from __future__ import annotations

from random import Random

from astrio.tasks.http.stats import RequestStats
from astrio.tasks.report import Requests


def test_percentiles_are_told_in_milliseconds() -> None:
    stats = RequestStats(Random(1).random)
    for duration in range(1, 101):
        stats.add(duration / 1000)
    assert stats.report() == Requests(sent=100, retried=0, p50_ms=51, p95_ms=96)


def test_nothing_sent_has_no_percentiles() -> None:
    assert RequestStats(Random(1).random).report() == Requests()


def test_a_resumed_run_goes_on_counting() -> None:
    stats = RequestStats(Random(1).random)
    stats.start_from(Requests(sent=7, retried=2, p50_ms=10, p95_ms=20))
    assert stats.report() == Requests(sent=7, retried=2, p50_ms=10, p95_ms=20)
    stats.add(0.005)
    stats.count_retry()
    assert stats.report() == Requests(sent=8, retried=3, p50_ms=5, p95_ms=5)


def test_many_requests_are_sampled_fairly_in_bounded_memory() -> None:
    stats = RequestStats(Random(1).random)
    for duration in range(50_000):
        stats.add(duration / 1000)
    p50 = stats.report().p50_ms
    assert p50 is not None
    assert 22_000 < p50 < 28_000
    assert len(stats.__dict__["_durations"]) == 1024
