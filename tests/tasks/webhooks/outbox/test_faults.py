"""Deliverers that are killed, doubled, cut off from the ledger, or whose clock jumps.

Every event arrives at least once, its effect is had exactly once (the receiver knows the ids), in
order where that is asked for, and no lease is lost for more than its length and five seconds.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.support.postgres import QUICK, postgres_server
from tests.support.server import Server, answer, serve
from tests.tasks.webhooks.outbox.delivering import (
    deliver,
    rows,
    settled,
    states,
    subscribe,
    target,
)

from astrio.tasks.emitting import emit
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.webhooks.outbox.clock import SteadyClock
from astrio.tasks.webhooks.outbox.desk import Asked, Desk

LEASE = 1.0
PLACES = ["enter", "turn", "after turn", "send", "after send", "mark", "claim", "route"]
# A deliverer that kills itself at a place, on the so-and-so-manieth time that it comes there.
KILLED = """
import asyncio, os, signal, sys
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.webhooks.outbox import desk, queue_postgresql, queue_sqlite, routing, sender
from astrio.tasks.webhooks.outbox.clock import SteadyClock
from astrio.tasks.webhooks.outbox.deliverer import Deliverer
from astrio.tasks.webhooks.outbox.desk import Desk

place, left = sys.argv[1], int(sys.argv[2])

def come():
    global left
    left -= 1
    if left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)

def patch(owner, name, after=False):
    method = getattr(owner, name)
    if asyncio.iscoroutinefunction(method):
        async def patched(*values, **named):
            after or come()
            found = await method(*values, **named)
            after and come()
            return found
    else:
        def patched(*values, **named):
            after or come()
            found = method(*values, **named)
            after and come()
            return found
    setattr(owner, name, patched)

match place:
    case "enter" | "turn":
        patch(Desk, place)
    case "after turn":
        patch(Desk, "turn", after=True)
    case "send" | "after send":
        patch(sender.Sender, "send", after=place.startswith("after"))
    case "mark" | "claim":
        for kind in (queue_postgresql.PostgresqlQueue, queue_sqlite.SqliteQueue):
            patch(kind, place, after=True)
    case "route":
        patch(routing.Router, "route", after=True)

made = Desk(Ledger(), SteadyClock(), lease=float(sys.argv[3]))
asyncio.run(Deliverer(desk=made).run(asyncio.Event()))
"""


class Effects:
    """A receiver whose effect is had once for each id; now and then it fails first."""

    def __init__(self, failing: float = 0.0) -> None:
        self.effects: list[Any] = []
        self.arrivals: Counter[str] = Counter()
        self._chance = random.Random(1)
        self._failing = failing

    def __call__(self, request: Any) -> Any:
        return self._answer(request)

    async def _answer(self, request: Any) -> Any:
        if self._chance.random() < self._failing:
            return answer({}, 500)
        identity = request.headers["webhook-id"]
        self.arrivals[identity] += 1
        if self.arrivals[identity] == 1:
            self.effects.append((await request.json())["number"])
        return {}


@contextmanager
def receiving(failing: float = 0.0) -> Iterator[tuple[Server, Effects]]:
    effects = Effects(failing)
    with serve(effects) as server:
        yield server, effects


def killed(place: str, times: int) -> subprocess.Popen[bytes]:
    """Start a deliverer that is killed at a place."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, "-c", KILLED, place, str(times), str(LEASE)]
    return subprocess.Popen(words, env=environment, stderr=subprocess.DEVNULL)


def desk() -> Desk:
    return Desk(Ledger(), SteadyClock(), lease=LEASE)


def kill_again_and_again(kills: int, events: int) -> None:
    chance = random.Random(2)
    with receiving() as (server, effects):
        subscribe({"t": target(server.url, retry={"delays": [0] * 50, "jitter": 0})})
        for turn in range(kills):
            for number in range(events):
                emit("counted", {"number": turn * events + number})
            place = PLACES[turn % len(PLACES)]
            once = place in {"enter", "mark"}  # it may not come there a second time
            process = killed(place, 1 if once else chance.randint(1, 3))
            try:
                code = process.wait(20)
            finally:
                process.kill()
            assert code == -signal.SIGKILL
        deliver(seconds=60, desk=desk())
    assert sorted(effects.effects) == list(range(kills * events))
    assert set(states()) == {"delivered"}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.usefixtures("ledger")
def test_a_deliverer_killed_at_any_place_loses_nothing(place: str) -> None:
    with receiving() as (server, effects):
        subscribe({"t": target(server.url)})
        for number in range(20):
            emit("counted", {"number": number})
        process = killed(place, 1)
        try:
            assert process.wait(20) == -signal.SIGKILL
        finally:
            process.kill()
        deliver(desk=desk())
    assert sorted(effects.effects) == list(range(20))


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("ledger")
def test_a_hundred_kills_lose_nothing() -> None:
    kill_again_and_again(kills=100, events=10)


def test_two_deliverers_at_once_deliver_each_event_once(
    home: object, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASTRIO_LEDGER_URL", postgres_url)
    monkeypatch.setenv("HOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    with receiving() as (server, effects):
        subscribe({"t": target(server.url)}, order_by="key")
        for number in range(300):
            emit("counted", {"number": number, "key": number % 7})
        others = [killed("nowhere", 1) for _ in range(2)]
        try:
            deliver(seconds=60)
        finally:
            for other in others:
                other.kill()
        assert set(effects.arrivals.values()) == {1}
    by_key = {key: [each for each in effects.effects if each % 7 == key] for key in range(7)}
    assert all(numbers == sorted(numbers) for numbers in by_key.values())
    assert len(effects.effects) == 300


def test_a_second_deliverer_on_sqlite_is_refused(home: object) -> None:
    first, second = desk(), desk()
    first.enter()
    with pytest.raises(Exception, match="Another deliverer is at work"):
        second.enter()
    first.leave()
    second.enter()
    second.leave()


def test_order_is_kept_while_attempts_fail_and_deliverers_are_killed(
    home: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    with receiving(failing=0.2) as (server, effects):
        retry = {"delays": [0.01] * 40, "jitter": 0}
        subscribe({"t": target(server.url, retry=retry)}, order_by="key")
        for number in range(60):
            emit("counted", {"number": number, "key": number % 3})
        for place in ("after send", "mark"):
            killed(place, 5).wait(20)
        deliver(seconds=60, desk=desk())
    for key in range(3):
        numbers = [each for each in effects.effects if each % 3 == key]
        assert numbers == [each for each in range(60) if each % 3 == key]


@pytest.mark.timeout(120)
def test_deliveries_go_on_when_the_database_was_restarted(
    home: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    with postgres_server(QUICK | {"fsync": "on"}) as database, receiving() as (server, effects):
        monkeypatch.setenv("ASTRIO_LEDGER_URL", database.create_database())
        subscribe({"t": target(server.url, concurrency=1)})
        for number in range(200):
            emit("counted", {"number": number})
        restarted = False

        def done() -> bool:
            nonlocal restarted
            if not restarted and len(effects.effects) > 20:
                restarted = True
                database.restart()
            return restarted and settled()

        deliver(done, seconds=60)
    assert sorted(effects.effects) == list(range(200))


@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.usefixtures("ledger")
def test_a_clock_that_jumps_makes_nothing_due_sooner_or_later(hours: int) -> None:
    """The machine's clock is set while a retry waits: it comes when it was to come."""
    wall = time.time
    shift = 0.0

    def jumping() -> float:
        return wall() + shift

    with serve(lambda _: answer({}, 500)) as server:
        retry = {"delays": [0, 1.5, 3600], "jitter": 0}
        subscribe({"t": target(server.url, retry=retry)})
        emit("counted", {"number": 1})
        times: list[float] = []

        def done() -> bool:
            nonlocal shift
            times[:] = [row[0] for row in rows("SELECT at FROM _astrio_attempt ORDER BY number")]
            if times:
                shift = hours * 3600.0
            return len(times) == 2

        deliver(done, seconds=20, wall=jumping)
        assert 1.4 < times[1] - times[0] < 6
        time.sleep(0.5)
        assert len(server.requests) == 2


@pytest.mark.usefixtures("ledger")
def test_what_a_clock_that_was_ahead_put_off_is_not_put_off_for_longer() -> None:
    with serve(lambda _: {}) as server:
        subscribe({"t": target(server.url)})
        emit("counted", {"number": 1})
        ahead = Desk(Ledger(), lambda: time.time() + 3600, lease=LEASE)
        ahead.enter()
        ahead.router.use(ahead.settings()[1], {})
        ahead.turn(Asked())
        ahead.leave()
        assert states() == ["pending"]
        deliver(seconds=10)
    assert states() == ["delivered"]


@pytest.mark.usefixtures("ledger")
def test_a_lease_is_lost_for_no_longer_than_its_length_whatever_the_clock_says() -> None:
    """Another machine's deliverer vanishes; nobody can tell but by its beat standing still."""
    with receiving() as (server, effects):
        subscribe({"t": target(server.url)})
        emit("counted", {"number": 1})
        vanished = Desk(Ledger(), lambda: time.time() + 3600, lease=LEASE)
        vanished.enter()
        vanished.router.use(vanished.settings()[1], {})
        vanished.turn(Asked())
        claimed = vanished.turn(Asked(slots={"t": 1}, most=1)).claimed
        assert len(claimed) == 1
        with Ledger().writing() as connection:
            connection.exec_driver_sql("UPDATE _astrio_deliverer SET machine = 'elsewhere'")
            connection.exec_driver_sql("UPDATE _astrio_deliverer SET host = 'elsewhere'")
        other = desk()
        if not Ledger().database.dialect.concurrent:
            vanished.leave()
        began = time.monotonic()
        deliver(seconds=20, desk=other)
        assert effects.effects == [1]
        assert time.monotonic() - began < LEASE + 5
