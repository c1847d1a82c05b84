"""The drainer works off a real inbox: every event has its effect once, whatever goes wrong."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.flows.running import query

from astrio.blocks.errors import DestinationBusyError
from astrio.deployments.draining.drainer import MOST_ATTEMPTS, Drainer
from astrio.flows.engine import engine
from astrio.flows.integration import Integration
from astrio.flows.receiving import receiving_run
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.webhooks.inbox import looking, tending
from astrio.tasks.webhooks.inbox.appending import Appender
from astrio.tasks.webhooks.inbox.claiming import Claims
from astrio.tasks.webhooks.inbox.event import Arrival, State
from astrio.tasks.webhooks.inbox.looking import Which, listed


def integration(database: Path, name: str = "orders", **changes: Any) -> Integration:
    """Return an integration of the source `shop` into a table of its own name."""
    whole: dict[str, Any] = {
        "name": name,
        "source": {"webhook": "shop"},
        "map": {"id": "id", "n": "n"},
        "push": {
            "to": {"url": f"sqlite:///{database}"},
            "table": name,
            "mode": "append",
        },
        **changes,
    }
    return Integration.model_validate(whole)


class Given:
    """The integrations of the source `shop`."""

    def __init__(self, *integrations: Integration) -> None:
        self.integrations = integrations

    def current(self) -> Mapping[str, Sequence[Integration]]:
        return {"shop": self.integrations}


async def carry(plan: Integration, events: Sequence[str]) -> None:
    await engine(await receiving_run(plan, events))


@pytest.fixture
def inbox(home: Path) -> Iterator[Appender]:
    assert not home.exists()
    appender = Appender(Ledger())
    yield appender
    appender.close()


def arrive(inbox: Appender, *bodies: Any) -> None:
    """Let events arrive, one of each body."""
    inbox.append(
        [
            Arrival("shop", None, [(b"content-type", b"application/json")], raw, time.time())
            for raw in (
                body if isinstance(body, bytes) else json.dumps(body).encode() for body in bodies
            )
        ]
    )


async def drain(drainer: Drainer, rounds: int = 1) -> None:
    for _ in range(rounds):
        await drainer.begin()
        await drainer.settle()


def states() -> list[State]:
    return [event.state for event in reversed(listed(Which()))]


async def test_events_have_their_effect_and_are_done(inbox: Appender, tmp_path: Path) -> None:
    arrive(inbox, {"id": 1, "n": 1}, {"id": 2, "n": 2})
    await drain(Drainer(Given(integration(tmp_path / "a.db")), carry))
    assert query(tmp_path / "a.db", "SELECT id, n FROM orders ORDER BY id") == [(1, 1), (2, 2)]
    assert states() == [State.DONE, State.DONE]


async def test_every_integration_of_a_source_gets_its_events(
    inbox: Appender, tmp_path: Path
) -> None:
    database = tmp_path / "a.db"
    arrive(inbox, {"id": 1, "n": 1})
    plans = [integration(database), integration(database, "copies")]
    await drain(Drainer(Given(*plans), carry))
    assert query(database, "SELECT id FROM orders UNION ALL SELECT id FROM copies") == [(1,), (1,)]


async def test_what_one_integration_is_through_with_it_does_not_get_again(
    inbox: Appender, tmp_path: Path
) -> None:
    database, broken = tmp_path / "a.db", [True]
    asked: list[str] = []

    async def second_fails(plan: Integration, events: Sequence[str]) -> None:
        asked.append(plan.name)
        if plan.name == "copies" and broken:
            raise DestinationBusyError("It is locked.")
        await carry(plan, events)

    clock = [time.time() + 5]
    claims = Claims(now=lambda: clock[0])
    plans = Given(integration(database), integration(database, "copies"))
    drainer = Drainer(plans, second_fails, claims=claims, now=lambda: clock[0])
    arrive(inbox, {"id": 1, "n": 1})
    await drain(drainer)
    assert states() == [State.FAILED]
    broken.clear()
    clock[0] += 60
    await drain(drainer)
    assert asked == ["orders", "copies", "copies"]
    assert states() == [State.DONE]


async def test_an_event_whose_effect_was_written_has_no_other(
    inbox: Appender, tmp_path: Path
) -> None:
    database, told = tmp_path / "a.db", list[str]()

    async def dies_before_it_can_tell(plan: Integration, events: Sequence[str]) -> None:
        await carry(plan, events)
        if not told:
            raise DestinationBusyError("The connection was lost.")

    clock = [time.time() + 5]
    drainer = Drainer(
        Given(integration(database)),
        dies_before_it_can_tell,
        claims=Claims(now=lambda: clock[0]),
        tell=told.append,
        now=lambda: clock[0],
    )
    arrive(inbox, {"id": 1, "n": 1})
    await drain(drainer)
    assert (states(), told) == ([State.FAILED], ["shop: The connection was lost."])
    clock[0] += 60
    await drain(drainer)
    assert states() == [State.DONE]
    assert query(database, "SELECT count(*) FROM orders") == [(1,)]


async def test_a_replayed_event_has_its_effect_again(inbox: Appender, tmp_path: Path) -> None:
    drainer = Drainer(Given(integration(tmp_path / "a.db")), carry)
    arrive(inbox, {"id": 1, "n": 1})
    await drain(drainer)
    assert tending.replay(Which(source="shop")) == 1
    await drain(drainer)
    assert query(tmp_path / "a.db", "SELECT count(*) FROM orders") == [(2,)]


async def test_what_is_no_fault_of_the_events_is_tried_again_for_ever_and_never_in_haste(
    inbox: Appender, tmp_path: Path
) -> None:
    clock, calls = [time.time() + 5], list[float]()

    async def locked(_: Integration, events: Sequence[str]) -> None:
        calls.append(clock[0])
        raise DestinationBusyError(f"{len(events)} events meet a lock.")

    drainer = Drainer(
        Given(integration(tmp_path / "a.db")),
        locked,
        claims=Claims(now=lambda: clock[0]),
        now=lambda: clock[0],
    )
    arrive(inbox, {"id": 1})
    for _ in range(3000):
        await drain(drainer)
        clock[0] += 0.25
    assert states() == [State.FAILED]
    (event,) = listed(Which())
    assert (event.attempts, event.error) == (0, "1 events meet a lock.")
    assert 10 < len(calls) < 25


async def test_the_one_event_that_crashes_its_run_is_found_and_given_up(
    inbox: Appender, tmp_path: Path
) -> None:
    database, told = tmp_path / "a.db", list[str]()

    async def poisoned(plan: Integration, events: Sequence[str]) -> None:
        for event in looking.read(events):
            if b"poison" in (event.body or b""):
                raise MemoryError
        await carry(plan, events)

    arrive(inbox, *({"id": number, "n": 0} for number in range(30)), {"id": 99, "n": "poison"})
    drainer = Drainer(Given(integration(database)), poisoned, tell=told.append)
    await drain(drainer, 2 * MOST_ATTEMPTS)
    assert query(database, "SELECT count(*), max(id) FROM orders") == [(30, 29)]
    (dead,) = listed(Which(states=[State.DEAD]))
    assert dead.error == "MemoryError: "
    assert told[-1] == f"shop: event {dead.id} is given up after {dead.attempts} attempts"


async def test_a_record_that_is_rejected_is_in_the_quarantine_and_its_event_is_done(
    inbox: Appender, tmp_path: Path
) -> None:
    arrive(inbox, b"{not json", {"id": 1, "n": 1})
    await drain(Drainer(Given(integration(tmp_path / "a.db")), carry))
    assert states() == [State.DONE, State.DONE]
    assert query(tmp_path / "a.db", "SELECT rule FROM _astrio_quarantine") == [("body",)]


async def test_it_drains_until_it_is_told_to_stop_and_finishes_what_it_began(
    inbox: Appender, tmp_path: Path
) -> None:
    stopping = asyncio.Event()

    async def slow(plan: Integration, events: Sequence[str]) -> None:
        stopping.set()
        await asyncio.sleep(0.3)
        await carry(plan, events)

    arrive(inbox, {"id": 1, "n": 1})
    await asyncio.wait_for(Drainer(Given(integration(tmp_path / "a.db")), slow).run(stopping), 30)
    assert states() == [State.DONE]


async def test_events_of_two_drainers_have_their_effect_once(
    inbox: Appender, tmp_path: Path
) -> None:
    database = tmp_path / "a.db"
    arrive(inbox, *({"id": number, "n": 0} for number in range(200)))
    drainers = [Drainer(Given(integration(database)), carry) for _ in range(2)]
    await asyncio.gather(*(drain(drainer, 3) for drainer in drainers))
    assert query(database, "SELECT count(*), count(DISTINCT id) FROM orders") == [(200, 200)]


async def test_what_was_tried_often_is_done_in_few_runs_when_nothing_crashes_any_more(
    inbox: Appender, tmp_path: Path
) -> None:
    sizes: list[int] = []

    async def counted(plan: Integration, events: Sequence[str]) -> None:
        sizes.append(len(events))
        await carry(plan, events)

    arrive(inbox, *({"id": number, "n": 0} for number in range(100)))
    clock = [time.time() + 5]
    claims = Claims(now=lambda: clock[0])
    for _ in range(MOST_ATTEMPTS):  # its holder dies each time
        assert len(claims.claim("shop", 1000)) == 100
        clock[0] += claims.term + 1
    plans = Given(integration(tmp_path / "a.db"))
    await drain(Drainer(plans, counted, claims=claims, now=lambda: clock[0]))
    assert sizes == [1, 2, 4, 8, 16, 32, 37]
    assert set(states()) == {State.DONE}
