"""Parts of the gateway that a whole one shows only under great load, or after hours."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.gateway import KEY

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.webhooks.own_paths import OWN
from astrio.blocks.webhooks.ranges.reading import published
from astrio.blocks.webhooks.schemes.github import GitHub
from astrio.blocks.webhooks.source import WebhookSource
from astrio.deployments.gateway import committing
from astrio.deployments.gateway.committing import Committer, InboxUnavailableError
from astrio.deployments.gateway.delivery_ids import delivery_id
from astrio.deployments.gateway.fetching import fetch
from astrio.deployments.gateway.housekeeping import purge_route
from astrio.deployments.gateway.refreshing import refresh
from astrio.deployments.gateway.routes import Route, Routes
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.webhooks.inbox.appending import Appender
from astrio.tasks.webhooks.inbox.claiming import Claims
from astrio.tasks.webhooks.inbox.event import Arrival
from astrio.tasks.webhooks.inbox.looking import Which, listed

HEADERS = [(b"x-id", b"a1"), (b"x-twice", b"1"), (b"x-twice", b"2"), (b"x-empty", b"")]


def arrival(number: int, at: float = 0) -> Arrival:
    return Arrival("shop", str(number), [], b"", at)


@pytest.mark.parametrize(
    ("place", "body", "found"),
    [
        ("", b"{}", None),
        ("header:X-Id", b"", "a1"),
        ("header:X-Twice", b"", None),
        ("header:X-Empty", b"", None),
        ("header:X-None", b"", None),
        ("event.id", b'{"event": {"id": "e1"}}', "e1"),
        ("event.id", b'{"event": {"id": 7}}', "7"),
        ("event.id", b'{"event": []}', None),
        ("event.id", b'{"event": {"id": ""}}', None),
        ("event.id", b'{"event": {"id": null}}', None),
        ("id", b"[" * 100_000, None),
        ("id", b'{"id": NaN}', None),
        ("id", b"\xff", None),
    ],
)
def test_the_id_of_a_delivery_is_read_where_it_is(
    place: str, body: bytes, found: str | None
) -> None:
    assert delivery_id(place, HEADERS, body) == found


async def test_arrivals_that_come_meanwhile_share_the_next_transaction() -> None:
    groups: list[int] = []
    going = threading.Event()

    def append(arrivals: Sequence[Arrival]) -> list[bool]:
        groups.append(len(arrivals))
        going.wait(10)
        return [True] * len(arrivals)

    committer = Committer([append], lambda error: None)
    first = committer.store(arrival(0))
    await asyncio.sleep(0.05)
    rest = [committer.store(arrival(number)) for number in range(1, 1000)]
    going.set()
    assert all(await asyncio.gather(first, *rest))
    await committer.close()
    assert groups == [1, 512, 487]


async def test_two_writers_are_at_work_at_once_and_both_end() -> None:
    both = threading.Barrier(2, timeout=10)

    def append(arrivals: Sequence[Arrival]) -> list[bool]:
        both.wait()
        return [True] * len(arrivals)

    committer = Committer([append, append], lambda error: None)
    first = committer.store(arrival(0))
    await asyncio.sleep(0.05)
    assert all(await asyncio.gather(first, committer.store(arrival(1))))
    await asyncio.wait_for(committer.close(), 10)


async def test_when_too_many_wait_the_next_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committing, "MOST_WAITING", 3)
    going = threading.Event()

    def append(arrivals: Sequence[Arrival]) -> list[bool]:
        going.wait(10)
        return [True] * len(arrivals)

    committer = Committer([append], lambda error: None)
    waiting = [committer.store(arrival(number)) for number in range(3)]
    with pytest.raises(InboxUnavailableError):
        committer.store(arrival(9))
    going.set()
    await asyncio.gather(*waiting)
    await committer.close()


async def test_a_failed_transaction_fails_those_who_waited_and_nobody_else() -> None:
    troubles: list[Exception | None] = []
    outcomes = iter([OSError("full"), None])

    def append(arrivals: Sequence[Arrival]) -> list[bool]:
        if error := next(outcomes):
            raise error
        return [False] * len(arrivals)

    committer = Committer([append], troubles.append)
    given_up = committer.store(arrival(1))
    given_up.cancel()
    with pytest.raises(InboxUnavailableError):
        await committer.store(arrival(2))
    assert await committer.store(arrival(3)) is False
    await committer.close()
    assert [type(each) for each in troubles] == [OSError, type(None)]


def test_what_is_older_than_its_source_keeps_it_is_purged(home: Path) -> None:
    day = 86400.0
    with closing(Appender(Ledger())) as appender:
        appender.append([arrival(1, 0.0), arrival(2, 8 * day)])
    claims = Claims(Ledger(), lambda: 9 * day)
    claims.done([event.id for event in claims.claim("shop", 9)])
    route = Route("shop", frozenset({"POST"}), GitHub(), ("s",), keep_seconds=7 * day)
    assert purge_route(route, 10 * day) == 1
    assert [event.delivery_id for event in listed(Which())] == ["2"]


def test_a_saved_source_with_a_path_of_the_gateway_is_refused() -> None:
    for path in OWN:
        saved = WebhookSource(path=path, secret=(KEY,))
        with pytest.raises(ConfigurationError, match=f"{path} .* `shop` is the gateway's already"):
            Routes({"shop": saved})


async def test_lists_of_networks_are_refreshed_and_odd_ones_change_nothing(tmp_path: Path) -> None:
    told: list[str] = []
    lists = {"github": b'{"hooks": ["192.30.252.0/22"]}', "svix": b'{"us": ["0.0.0.0/0"]}'}

    async def fetched(url: str) -> bytes | None:
        return next((found for vendor, found in lists.items() if vendor in url), None)

    names = ["github", "svix", "stripe", "127.0.0.1/32"]
    assert await refresh(names, tmp_path, fetched, told.append) == ["github"]
    assert await refresh(names, tmp_path, fetched, told.append) == []
    assert published("github", tmp_path).networks == ("192.30.252.0/22",)
    assert published("svix", tmp_path) == published("svix")
    assert sum("networks of svix stay" in line for line in told) == 2
    assert any("stripe" in line and "does not answer" in line for line in told)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "https://[::1]/x", "https://localhost/x"])
async def test_no_certificate_is_fetched_from_a_private_address(url: str) -> None:
    assert await fetch(url) is None
