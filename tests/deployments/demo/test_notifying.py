"""The demo shop's webhooks, against the official library."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from tests.support.server import serve

from astrio.deployments.demo.notifying import SECRET, new_secret, notify


def test_they_are_signed_or_forged(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = new_secret()
    monkeypatch.setenv(SECRET, secret)

    def receive(_: web.Request) -> web.Response:
        return web.Response(status=202)

    with serve(receive) as receiver:
        assert list(notify(receiver.url, [{"id": 1}, {"id": 2}])) == [202, 202]
        assert list(notify(receiver.url, [{"id": 3}], forged=True)) == [202]
        first, second, forged = receiver.requests
    official = Webhook(secret)
    told: Any = official.verify(first.body, dict(first.headers))
    assert told == {"type": "order.updated", "data": {"order": {"id": 1}}}
    assert json.loads(second.body)["data"]["order"] == {"id": 2}
    assert abs(int(second.headers["webhook-timestamp"]) - time.time()) < 60
    with pytest.raises(WebhookVerificationError):
        official.verify(forged.body, dict(forged.headers))


def test_a_refusal_is_a_status_and_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET, new_secret())
    with serve(lambda _: web.Response(status=401)) as receiver:
        assert list(notify(receiver.url, [{"id": 1}])) == [401]
