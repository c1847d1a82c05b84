from __future__ import annotations

import pytest
from tests.support.reading import send
from tests.support.server import (
    answer,
    serve,
    serve_raw,
)

from astrio.blocks.errors import (
    ApiAnswerError,
)
from astrio.tasks.http.request import ApiRequest

GET = ApiRequest("GET", "/orders")
POST = ApiRequest("POST", "/orders", body={"a": 1})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_the_same_origin_is_followed(status: int) -> None:
    auth = {"type": "bearer", "token": "canary-5512"}
    routes = {
        "/orders": lambda _: answer({}, status, {"Location": "/v2/orders?page=1"}),
        "/v2/orders": lambda _: {"ok": True},
    }
    with serve(routes) as server:
        got = await send(server.url, GET, auth=auth)
    assert got.url.endswith("/v2/orders?page=1")
    assert server.requests[1].headers["Authorization"] == "Bearer canary-5512"


async def test_a_post_is_redirected_only_as_a_post() -> None:
    routes = {
        "/orders": lambda _: answer({}, 307, {"Location": "/v2"}),
        "/old": lambda _: answer({}, 302, {"Location": "/v2"}),
        "/v2": lambda _: {},
    }
    with serve(routes) as server:
        await send(server.url, POST)
        assert [(seen.method, seen.body) for seen in server.requests[1:]] == [("POST", b'{"a":1}')]
        with pytest.raises(ApiAnswerError, match="would turn it into a GET"):
            await send(server.url, ApiRequest("POST", "/old", body={}))


async def test_endless_redirects_are_given_up() -> None:
    with serve(lambda _: answer({}, 302, {"Location": "/orders"})) as server:
        with pytest.raises(ApiAnswerError, match="more than 5 times"):
            await send(server.url)
        assert len(server.requests) == 6


async def test_a_redirect_to_another_origin_is_refused_and_nothing_sent_there() -> None:
    with (
        serve(lambda _: {}) as other,
        serve(lambda _: answer({}, 302, {"Location": other.url + "/steal"})) as server,
    ):
        with pytest.raises(ApiAnswerError) as caught:
            await send(server.url, auth={"type": "bearer", "token": "canary-5512"})
        assert other.url in caught.value.message
        assert server.url in caught.value.message
        assert not other.requests


async def test_a_redirect_to_an_allowed_host_of_our_own_network_is_followed() -> None:
    auth = {"type": "bearer", "token": "canary"}
    with (
        serve(lambda _: {}) as other,
        serve(lambda _: answer({}, 302, {"Location": other.url + "/x"})) as server,
    ):
        await send(server.url, auth=auth, allow_private_hosts=[other.url.removeprefix("http://")])
        assert other.requests[0].headers["Authorization"] == "Bearer canary"


@pytest.mark.parametrize("location", ["http://[::1", "http://a b/", "//evil\\@h/"])
async def test_a_redirect_to_no_url_is_refused(location: str) -> None:
    with (
        serve_raw(f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n".encode()) as server,
        pytest.raises(ApiAnswerError, match="cannot be followed"),
    ):
        await send(server.url)


async def test_a_redirect_without_a_location_is_an_error() -> None:
    with (
        serve(lambda _: answer({}, 304)) as server,
        pytest.raises(ApiAnswerError, match="answered 304 Not Modified"),
    ):
        await send(server.url)
