"""The inbox, on SQLite and on PostgreSQL."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from astrio.blocks.errors import AstrioError, ConfigurationError
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.ledger.sealing import VARIABLE
from astrio.tasks.webhooks.inbox.appending import Appender
from astrio.tasks.webhooks.inbox.claiming import Claims
from astrio.tasks.webhooks.inbox.event import Arrival, Event, State
from astrio.tasks.webhooks.inbox.looking import Which, backlog, counts, listed, shown
from astrio.tasks.webhooks.inbox.tending import WINDOW, purge, replay

NOW = 1_800_000_000.0
HEADERS = [
    (b"content-type", b"application/json"),
    (b"x-odd", b"caf\xe9: \xff"),
    (b"x-webhook-secret", b"hunter2"),
    (b"cookie", b"session=hunter2"),
]


class Clock:
    """A clock that stands still until it is put forward."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["sqlite", "postgresql"], autouse=True)
def ledger(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    if request.param == "postgresql":
        monkeypatch.setenv("ASTRIO_LEDGER_URL", request.getfixturevalue("postgres_url"))
    return Ledger()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def claims(ledger: Ledger, clock: Clock) -> Claims:
    return Claims(ledger, clock)


def arrival(delivery_id: str | None = "d1", body: bytes = b"{}", **more: object) -> Arrival:
    values = {"source": "shop", "headers": HEADERS, "received_at": NOW} | more
    return Arrival(delivery_id=delivery_id, body=body, **values)  # type: ignore[arg-type] # a test's own values


def append(ledger: Ledger, *arrivals: Arrival) -> list[bool]:
    with closing(Appender(ledger)) as appender:
        return appender.append(arrivals)


def ids(events: Sequence[Event]) -> list[str]:
    return [event.id for event in events]


def states() -> list[State]:
    return [event.state for event in reversed(listed(Which()))]


def test_what_arrives_is_kept_byte_for_byte_with_its_headers(ledger: Ledger) -> None:
    body = bytes(range(256)) * 3
    assert append(ledger, arrival(body=body)) == [True]
    (event,) = shown("d1")
    assert event.body == body
    assert event.size == len(body)
    assert event.headers[:2] == (("content-type", "application/json"), ("x-odd", "café: ÿ"))
    assert (event.source, event.state, event.attempts) == ("shop", State.RECEIVED, 0)
    assert event.received_at == event.due_at == NOW
    assert shown(event.id) == [event]


def test_headers_that_hold_secrets_are_masked(ledger: Ledger) -> None:
    append(ledger, arrival())
    assert dict(shown("d1")[0].headers)["x-webhook-secret"] == "***"
    assert dict(shown("d1")[0].headers)["cookie"] == "***"


def test_a_delivery_that_comes_again_is_stored_once(ledger: Ledger) -> None:
    assert append(ledger, arrival("d1"), arrival("d2"), arrival("d1")) == [True, True, False]
    assert append(ledger, arrival("d2", b"other"), arrival("d3")) == [False, True]
    assert len(listed(Which())) == 3


def test_without_a_delivery_id_the_body_tells_deliveries_apart(ledger: Ledger) -> None:
    assert append(ledger, arrival(None, b"a"), arrival(None, b"b"), arrival(None, b"a")) == [
        True,
        True,
        False,
    ]


def test_sources_do_not_share_delivery_ids(ledger: Ledger) -> None:
    assert append(ledger, arrival("d1"), arrival("d1", source="other")) == [True, True]


def test_a_delivery_id_and_a_body_that_are_alike_are_two_events(ledger: Ledger) -> None:
    assert append(ledger, arrival("x", b""), arrival(None, b"x")) == [True, True]


def test_odd_delivery_ids_are_told_apart(ledger: Ledger) -> None:
    odd = ["\0", "\0\0", "\ud800", "x" * 300, "x" * 301, "é"]
    assert append(ledger, *map(arrival, odd)) == [True] * 6
    assert append(ledger, *map(arrival, odd)) == [False] * 6
    assert len(shown("é")) == 1


def test_bodies_and_headers_are_encrypted_at_rest(home: Path, ledger: Ledger) -> None:
    append(ledger, arrival(body=b"canary-body"))
    with ledger.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM _astrio_event").all()
    assert "canary-body" not in repr(rows)
    assert "application/json" not in repr(rows)


def test_a_body_cannot_be_moved_to_another_row(ledger: Ledger) -> None:
    append(ledger, arrival("d1", b"1"), arrival("d2", b"2"))
    move = (
        "UPDATE _astrio_event SET sealed = (SELECT sealed FROM _astrio_event "
        "WHERE delivery_id = 'd1')"
    )
    with ledger.writing() as connection:
        connection.exec_driver_sql(move)
    assert shown("d1")[0].body == b"1"
    with pytest.raises(ConfigurationError, match="has been changed"):
        shown("d2")


def test_keys_can_be_rotated(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    monkeypatch.setenv(VARIABLE, old)
    append(ledger, arrival("d1", b"1"))
    monkeypatch.setenv(VARIABLE, f"{new},{old}")
    append(ledger, arrival("d2", b"2"))
    assert shown("d1")[0].body == b"1"
    monkeypatch.setenv(VARIABLE, new)
    assert shown("d2")[0].body == b"2"
    with pytest.raises(ConfigurationError, match="another key"):
        shown("d1")


def test_events_are_claimed_in_the_order_of_their_arrival(ledger: Ledger, claims: Claims) -> None:
    append(ledger, *(arrival(f"d{number}") for number in range(5)))
    first, second = claims.claim("shop", 3), claims.claim("shop", 3)
    assert [event.delivery_id for event in first + second] == ["d0", "d1", "d2", "d3", "d4"]
    assert {event.state for event in first} == {State.STARTED}
    assert first[0].body == b"{}"
    assert claims.claim("shop", 3) == []


def test_only_events_of_the_source_are_claimed(ledger: Ledger, claims: Claims) -> None:
    append(ledger, arrival("d1", source="other"))
    assert claims.claim("shop", 3) == []


def test_what_is_done_is_never_claimed_again(ledger: Ledger, claims: Claims, clock: Clock) -> None:
    append(ledger, arrival())
    assert claims.done(ids(claims.claim("shop", 3))) == 1
    clock.now += 10**6
    assert claims.claim("shop", 3) == []
    assert states() == [State.DONE]


def test_what_failed_is_due_again_at_its_moment(
    ledger: Ledger, claims: Claims, clock: Clock
) -> None:
    append(ledger, arrival())
    claims.failed(ids(claims.claim("shop", 3)), "boom " * 1000, NOW + 30)
    assert claims.claim("shop", 3) == []
    clock.now += 30
    (event,) = claims.claim("shop", 3)
    assert (event.attempts, event.state, event.error) == (2, State.STARTED, ("boom " * 1000)[:1000])


def test_what_is_dead_stays_so_until_it_is_replayed(
    ledger: Ledger, claims: Claims, clock: Clock
) -> None:
    append(ledger, arrival())
    (before,) = claims.claim("shop", 3)
    claims.dead([before.id], "poison")
    clock.now += 10**6
    assert claims.claim("shop", 3) == []
    assert replay(Which(ids=[before.id]), now=clock) == 1
    (after,) = claims.claim("shop", 3)
    assert (after.id, after.attempts, after.error) == (before.id, 1, "")
    assert after.key != before.key
    assert after.body == before.body


def test_a_claim_that_lapses_is_somebody_elses(
    ledger: Ledger, claims: Claims, clock: Clock
) -> None:
    append(ledger, arrival())
    lost = ids(claims.claim("shop", 3))
    other = Claims(ledger, clock)
    assert other.claim("shop", 3) == []
    clock.now += 61
    (event,) = other.claim("shop", 3)
    assert event.attempts == 2
    assert claims.done(lost) == 0
    assert other.done([event.id]) == 1


def test_a_claim_can_be_extended(ledger: Ledger, claims: Claims, clock: Clock) -> None:
    append(ledger, arrival())
    held = ids(claims.claim("shop", 3))
    clock.now += 50
    assert claims.extend(held) == 1
    clock.now += 50
    assert Claims(ledger, clock).claim("shop", 3) == []


def test_what_is_released_is_as_if_it_had_not_been_claimed(
    ledger: Ledger, claims: Claims, clock: Clock
) -> None:
    append(ledger, arrival("d1"), arrival("d2"))
    first, second = ids(claims.claim("shop", 3))
    claims.release([first])
    claims.release([second], NOW + 5)
    assert [event.attempts for event in claims.claim("shop", 3)] == [1]
    clock.now += 5
    assert [event.id for event in claims.claim("shop", 3)] == [second]


def test_the_flow_run_and_the_integrations_that_are_through_are_noted(
    ledger: Ledger, claims: Claims
) -> None:
    append(ledger, arrival())
    held = ids(claims.claim("shop", 3))
    claims.begin(held, "run-1")
    claims.through(held, "orders")
    claims.through(held, "stock")
    (event,) = listed(Which(states=[State.STARTED]))
    assert (event.flow_run, event.done_by) == ("run-1", ("orders", "stock"))
    claims.dead(held, "a third one fails")
    replay(Which())
    assert listed(Which())[0].done_by == ("orders", "stock")


def test_what_was_done_is_replayed_for_every_integration(ledger: Ledger, claims: Claims) -> None:
    append(ledger, arrival())
    held = ids(claims.claim("shop", 3))
    claims.through(held, "orders")
    claims.done(held)
    replay(Which())
    assert listed(Which())[0].done_by == ()


def test_what_is_claimed_right_now_is_not_replayed(ledger: Ledger, claims: Claims) -> None:
    append(ledger, arrival("d1"), arrival("d2"))
    claims.claim("shop", 1)
    assert replay(Which()) == 1


def test_two_drainers_never_get_the_same_event(ledger: Ledger, clock: Clock) -> None:
    append(ledger, *(arrival(f"d{number}") for number in range(200)))
    got = list[str]()

    def drain() -> None:
        claims = Claims(ledger, clock)
        while events := claims.claim("shop", 7):
            got.extend(ids(events))
            claims.done(ids(events))

    threads = [threading.Thread(target=drain) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == len(set(got)) == 200
    assert counts() == {"shop": {State.DONE: 200}}


def test_gateways_that_store_the_same_at_once_store_it_once(ledger: Ledger) -> None:
    new = list[bool]()

    def store(turn: int) -> None:
        same = [arrival(f"d{number}") for number in range(100)]
        with closing(Appender(ledger)) as appender:
            new.extend(appender.append(same if turn % 2 else same[::-1]))

    threads = [threading.Thread(target=store, args=(turn,)) for turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert new.count(True) == 100
    assert len(new) == 400


def test_the_backlog_tells_what_waits_and_what_is_dead(ledger: Ledger, claims: Claims) -> None:
    append(ledger, *(arrival(f"d{number}", received_at=NOW - number) for number in range(4)))
    append(ledger, arrival("d", source="other"))
    done, dead, *_ = ids(claims.claim("shop", 2))
    claims.done([done])
    claims.dead([dead], "")
    found = backlog()
    assert (found["shop"].waiting, found["shop"].oldest, found["shop"].dead) == (2, NOW - 1, 1)
    assert found["other"].waiting == 1
    assert counts()["shop"] == {State.DONE: 1, State.DEAD: 1, State.RECEIVED: 2}


def test_an_inbox_that_does_not_exist_is_empty(home: Path) -> None:
    assert listed(Which()) == []
    assert backlog() == counts() == {}
    assert shown("x") == []


def test_events_are_listed_by_what_is_asked_for_the_latest_first(ledger: Ledger) -> None:
    append(ledger, *(arrival(f"d{number}", received_at=NOW + number) for number in range(4)))
    append(ledger, arrival("x", source="other"))
    assert [each.delivery_id for each in listed(Which(source="shop"), limit=2)] == ["d3", "d2"]
    within = Which(source="shop", since=NOW + 1, until=NOW + 3)
    assert [each.delivery_id for each in listed(within)] == ["d2", "d1"]
    assert listed(Which(states=[State.DEAD])) == []
    assert all(each.body is None for each in listed(Which()))


def test_a_range_is_replayed(ledger: Ledger, claims: Claims, clock: Clock) -> None:
    append(ledger, *(arrival(f"d{number}", received_at=NOW - number) for number in range(4)))
    claims.done(ids(claims.claim("shop", 9)))
    assert replay(Which(source="shop", since=NOW - 1), now=clock) == 2
    assert {event.delivery_id for event in claims.claim("shop", 9)} == {"d0", "d1"}


def test_a_purged_event_is_still_known_for_seven_days(
    ledger: Ledger, claims: Claims, clock: Clock
) -> None:
    append(ledger, arrival("d1"), arrival("d2"))
    claims.done(ids(claims.claim("shop", 1)))
    assert purge(Which(), now=clock) == 1
    assert shown("d1")[0].body is None
    assert shown("d2")[0].body == b"{}"
    assert append(ledger, arrival("d1")) == [False]
    assert replay(Which(ids=[shown("d1")[0].id])) == 0
    clock.now += WINDOW + 1
    assert purge(Which(), now=clock) == 0
    assert append(ledger, arrival("d1")) == [True]


def test_what_waits_is_never_purged(ledger: Ledger, claims: Claims, clock: Clock) -> None:
    append(ledger, arrival("d1"), arrival("d2"))
    claims.failed(ids(claims.claim("shop", 1)), "", NOW + 1)
    clock.now += 10 * WINDOW
    assert purge(Which(), now=clock) == 0
    assert len(listed(Which())) == 2


def test_old_events_are_purged_with_their_rows(
    ledger: Ledger, claims: Claims, clock: Clock
) -> None:
    append(ledger, arrival("d1"), arrival("d2"))
    claims.done(ids(claims.claim("shop", 5)))
    clock.now += WINDOW + 1
    assert purge(Which(), now=clock) == 2
    assert listed(Which()) == []


def test_after_an_error_the_next_append_has_a_new_connection(ledger: Ledger) -> None:
    with closing(Appender(ledger)) as appender:
        with ledger.writing() as connection:
            connection.exec_driver_sql("ALTER TABLE _astrio_event RENAME TO elsewhere")
        with pytest.raises(AstrioError):
            appender.append([arrival()])
        with ledger.writing() as connection:
            connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO _astrio_event")
        assert appender.append([arrival()]) == [True]


def test_astrios_own_file_can_be_read_while_it_is_written(
    home: Path, request: pytest.FixtureRequest, ledger: Ledger
) -> None:
    if not ledger.own_file:
        pytest.skip("only SQLite has a journal mode")
    append(ledger, arrival())
    with closing(sqlite3.connect(home / "ledger.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
