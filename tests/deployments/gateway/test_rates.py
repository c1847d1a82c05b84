"""Token buckets: rates, bursts, and a table that does not grow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrio.deployments.gateway.rates import Bucket, Buckets


def test_a_burst_passes_and_the_next_is_told_when() -> None:
    bucket = Bucket(10, 3)
    assert [bucket.take(100.0) for _ in range(3)] == [0, 0, 0]
    assert bucket.take(100.0) == pytest.approx(0.1)
    assert bucket.take(100.1) == 0


@given(st.lists(st.floats(0, 0.2), max_size=200), st.integers(1, 50), st.integers(0, 20))
def test_never_more_than_the_rate_and_a_burst_pass(
    pauses: list[float], rate: int, burst: int
) -> None:
    bucket, now, passed = Bucket(rate, burst), 1000.0, 0
    for pause in pauses:
        now += pause
        passed += not bucket.take(now)
    assert passed <= (now - 1000) * rate + (burst or rate) + 1


@given(st.integers(1, 100), st.integers(0, 5))
def test_whoever_waits_as_told_passes(rate: int, burst: int) -> None:
    bucket, now = Bucket(rate, burst), 5.0
    while not (wait := bucket.take(now)):
        pass
    assert bucket.take(now + wait) == 0


def test_addresses_have_buckets_of_their_own() -> None:
    buckets = Buckets(1, 1)
    assert (buckets.take("a", 9.0), buckets.take("b", 9.0)) == (0, 0)
    assert buckets.take("a", 9.0) > 0
    assert buckets.take("a", 10.0) == 0


def test_only_so_many_addresses_are_remembered() -> None:
    buckets = Buckets(1, 1, most=100)
    for number in range(10_000):
        assert buckets.take(str(number), 9.0) == 0
    assert len(buckets._full_at) <= 100
    assert buckets.take("9999", 9.0) > 0
