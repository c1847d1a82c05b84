from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrio.tasks.http.quota import asked_wait, exhausted_for, remaining

NOW = datetime(2026, 5, 1, 10, 0, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp())


def wait(headers: dict[str, str], status: int = 429, body: Any = None) -> float | None:
    return asked_wait(status, httpx.Headers(headers), json.dumps(body).encode(), NOW)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "2.0"}, 2),
        ({"Retry-After": "-5"}, 0),
        ({"Retry-After": "Fri, 01 May 2026 10:00:09 GMT"}, 9),
        ({"Retry-After": "Fri, 01 May 2026 09:00:00 GMT"}, 0),
        (
            {
                "Retry-After": "Fri, 01 May 2026 12:00:09 GMT",
                "Date": "Fri, 01 May 2026 12:00:00 GMT",
            },
            9,
        ),
        ({"Retry-After": "3", "RateLimit": '"default";r=0;t=99'}, 3),
        ({"Retry-After": "soon", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "4"}, 4),
        ({"RateLimit": '"default";r=0;t=12'}, 12),
        ({"RateLimit": '"burst";r=0;t=5, "daily";r=0;t=60, "other";r=3;t=900'}, 60),
        ({"RateLimit": '"default";r=5;t=12'}, None),
        ({"RateLimit": "limit=100, remaining=0, reset=30"}, 30),
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": "8"}, 8),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(EPOCH + 6)}, 6),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str((EPOCH + 6) * 1000)}, 6),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "6"}, 6),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "1.5"}, 1.5),
        (
            {
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": "1",
                "X-RateLimit-Reset-After": "2.5",
            },
            2.5,
        ),
        (
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "Fri, 01 May 2026 10:00:20 GMT"},
            20,
        ),
        ({"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "11"}, 11),
        ({"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "6"}, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "nonsense"}, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "nan"}, None),
        ({"RateLimit": '"a";r=x;t=y, ;;'}, None),
        ({}, None),
    ],
)
def test_each_form_of_the_headers_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert wait(headers) == seconds


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({"message": "limited", "retry_after": 0.65, "global": False}, 0.65),
        ({"retry_after": True}, None),
        ({"retry_after": -1}, None),
        (["retry_after"], None),
        ({"retry_after": "x" * 20_000}, None),
    ],
)
def test_a_wait_in_the_body_is_read_last(body: Any, seconds: float | None) -> None:
    assert wait({}, body=body) == seconds
    assert wait({"Retry-After": "1"}, body=body) == 1
    assert wait({}, status=400, body=body) is None


def test_a_body_that_is_no_json_asks_for_nothing() -> None:
    assert asked_wait(429, httpx.Headers(), b"<html>", NOW) is None


def test_the_tightest_quota_that_is_left_is_told() -> None:
    assert remaining(httpx.Headers({"X-RateLimit-Remaining": "7", "RateLimit-Remaining": "3"})) == 3
    assert remaining(httpx.Headers({"RateLimit": '"a";r=9;t=1, "b";r=2;t=5'})) == 2
    assert remaining(httpx.Headers()) is None


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "retry-after",
                "ratelimit",
                "x-ratelimit-reset",
                "x-ratelimit-remaining",
                "ratelimit-remaining",
                "ratelimit-reset",
                "date",
            ]
        ),
        st.text(),
    )
)
def test_no_header_breaks_it_or_asks_for_less_than_nothing(headers: dict[str, str]) -> None:
    told = asked_wait(429, headers, b"", NOW)
    assert told is None or told >= 0
    held = exhausted_for(headers, NOW)
    assert held is None or held >= 0
