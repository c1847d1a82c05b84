from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from tests.support.reading import (
    GET,
    TOKENS,
    ids,
    paginator,
    plan,
    read,
)
from tests.support.server import serve

from astrio.blocks.errors import (
    ApiAnswerError,
)
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.reading import ReadPlan


async def test_a_token_that_refers_to_a_variable_is_never_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTHER_SECRET", "canary-6601")
    body = {"items": [{"id": 1}], "next": "${env:OTHER_SECRET}"}
    with serve(lambda _: body) as server:
        with pytest.raises(ApiAnswerError, match="one of this machine's variables") as caught:
            await read(server.url, plan(TOKENS))
        assert len(server.requests) == 1
    assert "canary" not in str(caught.value)


async def test_a_stored_position_that_refers_to_another_variable_is_never_sent() -> None:
    at = ApiRequest("GET", "/orders", params={"after": "${env:HOME}"})
    with serve(lambda _: {"items": []}) as server:
        with pytest.raises(ApiAnswerError, match="variables"):
            await read(server.url, plan(TOKENS, resume=at))
        assert not server.requests


async def test_secrets_that_an_api_repeats_in_its_link_are_not_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "canary-1")
    auth = {"type": "api_key", "query": "key", "value": "canary-2"}

    def page(request: web.Request) -> Any:
        number = int(request.query.get("p", "0"))
        link = f"/orders?p={number + 1}&key=canary-2&shop=canary-1&z=%2F+x"
        return {"items": [{"id": number}], "next": link if number < 2 else None}

    made = paginator({"type": "next_url", "next": "next"})
    first = replace(GET, params={"shop": "${env:SHOP_TOKEN}"})
    with serve(page) as server:
        pages = await read(server.url, ReadPlan(first, made, records="items"), auth=auth)
        stored = json.dumps([page.resume for page in pages])
        assert "canary" not in stored
        assert "z=%2F+x" in stored
        for seen in server.requests:
            assert (seen.query["key"], seen.query["shop"]) == (["canary-2"], ["canary-1"])
    assert ids(pages) == [0, 1, 2]


async def test_a_link_without_repeated_secrets_is_kept_as_it_is() -> None:
    auth = {"type": "api_key", "query": "key", "value": "canary-2"}

    def page(request: web.Request) -> Any:
        following = None if "p" in request.query else "/orders?p=1&z=%2F+x"
        return {"items": [{"id": len(request.query)}], "next": following}

    with serve(page) as server:
        pages = await read(server.url, plan({"type": "next_url", "next": "next"}), auth=auth)
        assert pages[0].resume is not None
        assert pages[0].resume["url"] == server.url + "/orders?p=1&z=%2F+x"
