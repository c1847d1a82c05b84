"""An emitted event reaches every target that wants it, signed, once its receiver takes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from standardwebhooks import Webhook
from tests.support.server import Server, answer, replies, serve
from tests.tasks.webhooks.outbox.delivering import (
    QUICK,
    SECRET,
    bodies,
    deliver,
    rows,
    states,
    subscribe,
    target,
)

from astrio.tasks.emitting import emit

pytestmark = pytest.mark.usefixtures("ledger")


@pytest.fixture
def receiver() -> Iterator[Server]:
    with serve(lambda _: {}) as server:
        yield server


def test_an_event_arrives_signed_with_its_payload(receiver: Server) -> None:
    subscribe({"crm": target(receiver.url)})
    emit("user.created", {"id": 7})
    deliver()
    (request,) = receiver.requests
    assert Webhook(SECRET).verify(request.body.decode(), dict(request.headers)) == {"id": 7}
    assert request.headers["Content-Type"] == "application/json"
    assert states() == ["delivered"]


def test_an_event_goes_to_each_target_whose_pattern_fits(receiver: Server) -> None:
    subscribe({"a": target(f"{receiver.url}/a"), "b": target(f"{receiver.url}/b")}, on="order.*")
    emit("order.paid", {"n": 1})
    emit("user.created", {"n": 2})
    deliver()
    assert sorted(each.path for each in receiver.requests) == ["/a", "/b"]
    assert bodies(receiver.requests) == [{"n": 1}, {"n": 1}]


def test_a_delivery_that_fails_is_tried_again_with_the_same_id() -> None:
    handler = replies(answer({}, status=500), answer({}, status=503), answer({}, status=204))
    with serve(handler) as server:
        subscribe({"crm": target(server.url)})
        emit("user.created", {"id": 7})
        deliver()
        assert len(server.requests) == 3
        assert len({each.headers["webhook-id"] for each in server.requests}) == 1
    assert states() == ["delivered"]
    found = rows("SELECT status, delivered FROM _astrio_attempt ORDER BY number")
    assert found == [(500, 0), (503, 0), (204, 1)]


def test_a_target_whose_secret_is_not_set_holds_its_deliveries_and_tells_why(
    receiver: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe({"crm": target(receiver.url, secret="${env:CRM_SECRET}")})
    emit("user.created", {"id": 7})
    told = "SELECT error FROM _astrio_delivery WHERE error <> ''"
    deliver(lambda: bool(rows(told)))
    [(error,)] = rows(told)
    assert error.startswith("Not sent: The environment variable CRM_SECRET is not set")
    assert rows("SELECT state, attempts, tried FROM _astrio_delivery") == [("pending", 0, 0)]
    monkeypatch.setenv("CRM_SECRET", SECRET)
    deliver()
    assert len(receiver.requests) == 1
    assert rows("SELECT state, attempts, error FROM _astrio_delivery") == [("delivered", 1, "")]


def test_after_the_last_attempt_it_is_a_dead_letter_and_somebody_hears_of_it() -> None:
    with serve(lambda _: answer({"error": "no"}, status=500)) as server:
        subscribe({"crm": target(server.url)})
        emit("user.created", {"id": 7})
        notices = deliver()
        assert len(server.requests) == 3
    assert states() == ["dead"]
    assert [(each.kind, each.target, len(each.deliveries)) for each in notices] == [
        ("dead", "crm", 1)
    ]


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 429, 500, 502])
def test_nothing_but_2xx_is_a_success(status: int) -> None:
    with serve(lambda _: answer({}, status=status, headers={"Location": "/elsewhere"})) as server:
        subscribe({"crm": target(server.url)})
        emit("user.created", {})
        deliver()
        assert {each.path for each in server.requests} == {"/"}
    assert states() == ["dead"]
    assert rows("SELECT DISTINCT status FROM _astrio_attempt") == [(status,)]


def test_nothing_more_is_sent_to_a_target_that_is_gone() -> None:
    with serve(lambda _: answer({}, status=410)) as server:
        subscribe({"crm": target(server.url, concurrency=1)})
        for number in range(5):
            emit("user.created", {"id": number})
        deliver(lambda: bool(rows("SELECT 1 FROM _astrio_target WHERE disabled <> ''")))
        assert len(server.requests) == 1
    assert states() == ["pending"] * 5


def test_gone_disables_the_target_which_keeps_its_events() -> None:
    with serve(lambda _: answer({}, status=410)) as server:
        subscribe({"crm": target(server.url)})
        emit("user.created", {})
        notices = deliver(lambda: bool(rows("SELECT 1 FROM _astrio_target WHERE disabled <> ''")))
        emit("user.created", {})
        deliver(lambda: len(states()) == 2)
        assert len(server.requests) == 1
    assert states() == ["pending", "pending"]
    assert [each.kind for each in notices] == ["disabled"]


def test_an_event_is_emitted_once_for_each_idempotency_key(receiver: Server) -> None:
    subscribe({"crm": target(receiver.url)})
    first = emit("user.created", {"id": 1}, "user-1")
    again = emit("user.created", {"id": 1}, "user-1")
    assert first.new
    assert not again.new
    assert again.id == first.id
    deliver()
    assert len(receiver.requests) == 1


def test_events_of_one_key_arrive_in_order_though_the_first_fails() -> None:
    failing = iter([500, 500])
    with serve(lambda _: answer({}, status=next(failing, 200))) as server:
        retry = {"delays": [0, 0.1, 0.1], "jitter": 0}
        subscribe({"crm": target(server.url, retry=retry)}, order_by="account")
        for number in range(5):
            emit("account.changed", {"account": "a", "number": number})
        deliver()
        arrived = [each["number"] for each in bodies(server.requests)]
    assert arrived == [0, 0, 0, 1, 2, 3, 4]


def test_payload_filter_and_map_make_what_is_sent(receiver: Server) -> None:
    subscribe(
        {"crm": target(receiver.url)},
        filter="user.age >= 18",
        payload={"userId": "{{user.id}}", "text": "Hello {{ user.name }}", "of": "{{event}}"},
    )
    emit("user.created", {"user": {"id": 7, "name": "Ada", "age": 36}})
    emit("user.created", {"user": {"id": 8, "name": "Ben", "age": 7}})
    deliver()
    assert bodies(receiver.requests) == [{"userId": 7, "text": "Hello Ada", "of": "user.created"}]


def test_a_payload_that_cannot_be_made_is_a_dead_letter_that_tells_why(receiver: Server) -> None:
    subscribe({"crm": target(receiver.url)}, payload={"id": "{{user.id}}"})
    emit("user.created", {"customer": {"id": 7}})
    deliver()
    assert receiver.requests == []
    assert states() == ["dead"]
    assert "user" in rows("SELECT error FROM _astrio_delivery")[0][0]


def test_a_form_is_sent_where_the_target_wants_one(receiver: Server) -> None:
    settings = {"content_type": "application/x-www-form-urlencoded", "method": "PUT"}
    subscribe({"crm": target(receiver.url, **settings)})
    emit("user.created", {"id": 7, "name": "Ada & Ben"})
    deliver()
    (request,) = receiver.requests
    assert (request.method, request.body) == ("PUT", b"id=7&name=Ada+%26+Ben")


def test_payloads_are_not_in_the_database(receiver: Server) -> None:
    subscribe({"crm": target(receiver.url)}, payload={"mail": "{{mail}}"})
    emit("user.created", {"mail": "ada@example.com"})
    deliver()
    stored = rows("SELECT * FROM _astrio_outbox") + rows("SELECT * FROM _astrio_delivery")
    assert b"ada@example.com" not in b"".join(
        bytes(value) for row in stored for value in row if isinstance(value, bytes | memoryview)
    )
    assert "ada@example.com" not in str(stored)


def test_a_target_without_a_secret_gets_one_from_astrio(receiver: Server) -> None:
    subscribe({"crm": target(receiver.url, secret=[], retry=QUICK)})
    emit("user.created", {})
    deliver()
    assert receiver.requests[0].headers["webhook-signature"].startswith("v1,")
