from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

import pytest
from tests.contracts.auth import REFERENCE, SECRET, AuthContract
from tests.support.server import answer, serve

from astrio.blocks.api import RestApi
from astrio.blocks.errors import ApiUnavailableError
from astrio.blocks.pool import TokenPool
from astrio.tasks.http.client import ApiClient
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.settings import RetrySettings

GET = ApiRequest("GET", "/orders")


class TestTokenPool(AuthContract):
    settings: ClassVar = {"type": "token_pool", "tokens": {"only": REFERENCE}}
    sent_headers: ClassVar = {"Authorization": f"Bearer {SECRET}"}


class Quotas:
    """An API with a quota for each token; it tells what is left."""

    def __init__(self, **left: int) -> None:
        self.left = left
        self.used: Counter[str] = Counter()

    def __call__(self, request: Any) -> Any:
        token = request.headers["authorization"].removeprefix("Bearer ")
        self.left[token] -= 1
        headers = {"X-RateLimit-Remaining": str(max(self.left[token], 0)), "X-RateLimit-Reset": "9"}
        if self.left[token] < 0:
            return answer({"message": "over the limit"}, 429, headers)
        self.used[token] += 1
        return answer({}, headers=headers)


async def ask(url: str, times: int) -> None:
    tokens = {"one": "first-token", "two": "second-token"}
    auth = {"type": "token_pool", "tokens": tokens}
    api = RestApi.model_validate({"base_url": url, "auth": auth})
    async with ApiClient(api, retry=RetrySettings(max_retries=0)) as client:
        for _ in range(times):
            await client.send(GET)


async def test_what_is_left_decides_who_signs() -> None:
    quotas = Quotas(**{"first-token": 10, "second-token": 4})
    with serve(quotas) as server:
        await ask(server.url, 12)
    assert quotas.used == {"first-token": 9, "second-token": 3}


async def test_every_token_s_quota_is_used_up_before_one_waits() -> None:
    quotas = Quotas(**{"first-token": 2, "second-token": 1})
    with serve(quotas) as server:
        with pytest.raises(ApiUnavailableError, match="429"):
            await ask(server.url, 4)
        assert quotas.used == {"first-token": 2, "second-token": 1}


def flow(pool: TokenPool, *answers: tuple[int, dict[str, str]]) -> list[str]:
    """Return the tokens that one request is signed with, given its answers."""
    import httpx

    request = httpx.Request("GET", "https://a.example.com")
    signing = pool.auth_flow(request)
    signed = [next(signing).headers["x"]]
    for status, headers in answers:
        try:
            signed.append(signing.send(httpx.Response(status, headers=headers)).headers["x"])
        except StopIteration:
            break
    return signed


def test_a_refused_request_is_signed_again_with_a_token_that_has_some_left() -> None:
    pool = TokenPool("x", ["a", "b"], now=lambda: 100.0)
    assert flow(pool, (429, {"Retry-After": "5"}), (200, {})) == ["a", "b"]
    assert flow(pool, (200, {})) == ["b"]


def test_a_refusal_that_is_no_matter_of_quota_is_not_tried_with_others() -> None:
    pool = TokenPool("x", ["a", "b"], now=lambda: 100.0)
    assert flow(pool, (403, {"X-RateLimit-Remaining": "7"}), (200, {})) == ["a"]


@pytest.mark.parametrize(
    ("reset", "rest"),
    [("20", 20), ("1000000130", 30), ("1000000130000", 30), ("soon", 60), ("-4", 0)],
)
def test_a_token_rests_until_its_quota_is_there_again(reset: str, rest: float) -> None:
    clock = [1_000_000_100.0]
    pool = TokenPool("x", ["a", "b"], now=lambda: clock[0])
    out = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    assert flow(pool, (200, out)) == ["a"]
    used = {"X-RateLimit-Remaining": "1"}
    clock[0] += max(rest - 1, 0)
    assert flow(pool, (200, used)) == ["b" if rest else "a"]
    clock[0] += 2
    assert flow(pool, (200, used)) == ["a" if rest else "b"]
