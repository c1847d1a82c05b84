"""`POST /events` of the gateway, and what its metrics tell of deliveries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.gateway import Answered, Running, gateway, write
from tests.support.server import answer, serve
from tests.tasks.webhooks.outbox.delivering import SECRET, deliver, rows, subscribe, target

from astrio.blocks.errors import ConfigurationError
from astrio.deployments.gateway.bodies import Bodies
from astrio.deployments.gateway.emitting import VARIABLE, emission

TOKEN = "canary-token-of-an-application"
EVENT = {"event": "user.created", "payload": {"id": 7}}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("emitting")
    write(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, f"another-token-before-it, {TOKEN}")
        with gateway(folder, "--no-drain") as process:
            patch.setenv("ASTRIO_HOME", str(folder / "astrio-home"))
            yield process


def post(running: Running, body: Any = EVENT, token: str | None = TOKEN) -> Answered:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return running.send("POST", "/events", content, headers)


def events() -> int:
    return int(rows("SELECT count(*) FROM _astrio_outbox")[0][0])


def test_an_event_is_durable_before_it_is_accepted(running: Running) -> None:
    before = events()
    answered = post(running, EVENT | {"idempotency_key": "user-7"})
    told = json.loads(answered.body)
    assert (answered.status, told["new"]) == (202, True)
    again = json.loads(post(running, EVENT | {"idempotency_key": "user-7"}).body)
    assert again == {"id": told["id"], "new": False}
    assert events() == before + 1


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN[:-1], f"{TOKEN}x"])
def test_without_a_token_nothing_is_emitted(running: Running, token: str | None) -> None:
    before = events()
    assert post(running, token=token).status == 401
    assert events() == before


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"{}",
        {"event": "user.created"},
        {"event": "no name", "payload": {}},
        {"event": "user.created", "payload": "text"},
        EVENT | {"surprise": 1},
        b'{"event": "a", "payload": {"x": NaN}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_event_is_refused_and_told(running: Running, body: Any) -> None:
    before = events()
    answered = post(running, body)
    assert answered.status == 400
    assert json.loads(answered.body)["error"]
    assert events() == before


def test_what_is_too_large_is_refused(running: Running) -> None:
    assert post(running, b"x" * 300_000).status == 413


def test_another_method_is_refused(running: Running) -> None:
    answered = running.send("GET", "/events")
    assert (answered.status, answered.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("tokens", ["short", "ä" * 20, f"{TOKEN},short"])
def test_a_token_that_is_none_is_a_mistake(tokens: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, tokens)
    with pytest.raises(ConfigurationError, match="no usable token"):
        emission(Bodies(1, 1000))


def test_without_tokens_nobody_emits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, " , ")
    assert emission(Bodies(1, 1000)) is None


def test_metrics_tell_how_deliveries_fare(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    with serve(lambda _: answer({}, 500)) as server:
        subscribe({"crm": target(server.url)}, on="told.*")
        post(running, {"event": "told.once", "payload": {}})
        deliver()
    page = running.send("GET", "/metrics").body.decode()
    assert 'astrio_delivery_dead{event="told.once",target="crm"} 1.0' in page
    assert 'astrio_delivery_attempts{event="told.once",target="crm"} 3.0' in page
    assert 'astrio_delivery_success_ratio{event="told.once",target="crm"} 0.0' in page
    assert 'astrio_target_disabled{target="crm"} 0.0' in page
