"""Deliveries: how many a second, what each costs, and whether dead targets delay the others.

    python -m tests.benchmarks.deliveries speed        # deliveries a second, CPU, stock httpx
    python -m tests.benchmarks.deliveries isolation    # 1,000 targets, of which 100 are dead
    python -m tests.benchmarks.deliveries backlog      # claiming from 1,000,000 rows; memory

Each starts a PostgreSQL server of its own, with its usual settings (commits are durable), and a
receiver on loopback in another process. CPU is that of the delivering process alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import insert, text
from tests.support.postgres import postgres_server

from astrio.blocks.webhooks.target import WebhookTarget
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.ledger.outbox_tables import event
from astrio.tasks.ledger.sealing_bytes import BytesSealer
from astrio.tasks.webhooks.outbox.answer import Answer
from astrio.tasks.webhooks.outbox.clock import SteadyClock
from astrio.tasks.webhooks.outbox.connecting import Line
from astrio.tasks.webhooks.outbox.deliverer import Deliverer
from astrio.tasks.webhooks.outbox.desk import Asked, Desk
from astrio.tasks.webhooks.outbox.event import PURPOSE
from astrio.tasks.webhooks.outbox.receiver import Receiver
from astrio.tasks.webhooks.outbox.sender import Sender
from astrio.tasks.webhooks.outbox.trigger import Trigger
from astrio.tasks.webhooks.outbox.triggers import Registration, register_triggers

BODY = json.dumps({"id": 7, "note": "x" * 480}).encode()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class StockSender(Sender):
    """The same, written with httpx as it comes."""

    def __init__(self) -> None:
        super().__init__()
        self._client = httpx.AsyncClient(timeout=20, limits=httpx.Limits(max_connections=None))

    async def send(self, receiver: Receiver, identity: str, body: bytes) -> Answer:
        headers = receiver.signed(identity, int(time.time()), body)
        response = await self._client.post(str(receiver.url), content=body, headers=headers)
        return Answer(response.status_code)


@contextmanager
def setting() -> Iterator[tuple[str, str]]:
    """Set up a ledger and a receiver; yield the URL of one that answers and of a dead one."""
    folder = tempfile.mkdtemp(prefix="astrio-deliveries-")
    here = [sys.executable, str(Path(__file__).with_name("receiver.py"))]
    with (
        postgres_server({"shared_buffers": "256MB"}) as server,
        subprocess.Popen(here, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other,
    ):
        assert other.stdout
        assert other.stdin
        os.environ |= {
            "ASTRIO_HOME": folder,
            "ASTRIO_LEDGER_URL": server.create_database(),
            "HOOK_SECRET": SECRET,
        }
        yield other.stdout.readline().strip(), other.stdout.readline().strip()
        other.stdin.close()


def target(url: str, **settings: Any) -> WebhookTarget:
    """Return a target on loopback."""
    host = url.removeprefix("http://").partition("/")[0]
    usual = {"secret": "${env:HOOK_SECRET}", "allow_private_hosts": [host]}
    return WebhookTarget.model_validate({"url": url, **usual, **settings})


def subscribe(targets: dict[str, WebhookTarget]) -> None:
    """Let each target have a trigger of its own, `to.NAME`."""
    register_triggers(
        [
            Registration(Trigger(name=name, on=(f"to.{name}",), targets=(name,)), {name: each})
            for name, each in targets.items()
        ],
        time.time(),
    )


def fill(names: Sequence[str], count: int, *, routed: bool) -> None:
    """Put events into the outbox, for one target after the other."""
    sealer = BytesSealer(PURPOSE)
    now = time.time()
    with Ledger().writing() as connection:
        for start in range(0, count, 10_000):
            places = range(start, min(start + 10_000, count))
            connection.execute(
                insert(event),
                [
                    {
                        "id": f"evt_{place}",
                        "name": f"to.{names[place % len(names)]}",
                        "state": "routed" if routed else "new",
                        "created_at": now,
                        "size": len(BODY),
                        "sealed": sealer.seal(BODY, f"evt_{place}".encode()),
                    }
                    for place in places
                ],
            )
        if routed:
            connection.execute(
                text(
                    "INSERT INTO _astrio_delivery (id, event_number, event, trigger, target, "
                    "state, made, attempts, tried, replays, next_at, delay, created_at, "
                    "changed_at, error) SELECT 'msg_' || number, number, name, '', "
                    "substr(name, 4), 'pending', 1, 0, 0, 0, :now, 0, :now, :now, '' "
                    "FROM _astrio_outbox ORDER BY number"
                ),
                {"now": now},
            )
    with Ledger().database.connect().execution_options(isolation_level="AUTOCOMMIT") as plain:
        plain.execute(text("VACUUM ANALYZE"))


def left() -> int:
    """Return how many events are not delivered."""
    with Ledger().reading() as connection:
        query = (
            "SELECT (SELECT count(*) FROM _astrio_outbox WHERE state = 'new') + "
            "(SELECT count(*) FROM _astrio_delivery WHERE state IN ('pending', 'claimed'))"
        )
        return int(connection.execute(text(query)).scalar_one())


async def deliver(count: int, sender: Sender | None = None) -> tuple[float, float]:
    """Deliver so many; return seconds and CPU seconds."""
    deliverer = Deliverer()
    if sender is not None:
        deliverer._sender = sender
    stopping = asyncio.Event()
    began, cpu = time.perf_counter(), time.process_time()
    work = asyncio.create_task(deliverer.run(stopping))
    while deliverer.tally.delivered < count and not work.done():  # noqa: ASYNC110 (a benchmark)
        await asyncio.sleep(0.05)
    stopping.set()
    await work
    return time.perf_counter() - began, time.process_time() - cpu


def speed(count: int) -> None:
    """Measure deliveries a second, from the outbox's rows to the marked delivery."""
    with setting() as (url, _):
        subscribe({"one": target(url, concurrency=64)})
        results: dict[str, float] = {}
        for name, many, routed, sender in (
            ("astrio", count, True, None),
            ("astrio, routing included", count, False, None),
            ("the same loop with stock httpx", count // 10, True, StockSender),
        ):
            with Ledger().writing() as connection:
                connection.execute(text("TRUNCATE _astrio_outbox, _astrio_delivery"))
            fill(["one"], many, routed=routed)
            wall, cpu = asyncio.run(deliver(many, sender() if sender else None))
            assert left() == 0
            results[name] = cpu / many
            print(
                f"{name}: {many} deliveries, {many / wall:,.0f}/s, "
                f"{cpu / many * 1e6:.0f} us CPU each"
            )
        times = results["the same loop with stock httpx"] / results["astrio"]
        print(f"stock httpx costs {times:.1f} times as much CPU")


async def steady(names: Sequence[str], rate: int, seconds: float) -> None:
    """Emit so many events a second, for one target after the other, while a deliverer works."""
    stopping = asyncio.Event()
    work = asyncio.create_task(Deliverer().run(stopping))
    await asyncio.to_thread(_emit_steadily, names, rate, seconds)
    await asyncio.sleep(3)
    stopping.set()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


def _emit_steadily(names: Sequence[str], rate: int, seconds: float) -> None:
    sealer = BytesSealer(PURPOSE)
    line, began, place = Line(Ledger()), time.time(), 0
    while (passed := time.time() - began) < seconds:
        due = int(passed * rate)
        rows = []
        for number in range(place, due):
            id_ = f"evt_{began}_{number}"
            rows.append(
                {
                    "id": id_,
                    "name": f"to.{names[number % len(names)]}",
                    "state": "new",
                    "created_at": time.time(),
                    "size": len(BODY),
                    "sealed": sealer.seal(BODY, id_.encode()),
                }
            )
        place = max(due, place)
        if rows:
            with line.transaction() as connection:
                connection.execute(insert(event), rows)
        time.sleep(0.02)
    line.close()


def latencies(of: str) -> list[float]:
    """Return the seconds from emitting to the end of the first attempt, of targets named so."""
    query = text(
        "SELECT a.at + a.ms / 1000.0 - d.created_at FROM _astrio_attempt AS a "
        "JOIN _astrio_delivery AS d ON d.number = a.delivery "
        "WHERE a.delivered = 1 AND a.target LIKE :of"
    )
    with Ledger().reading() as connection:
        return sorted(connection.execute(query, {"of": f"{of}%"}).scalars())


def isolation(count: int) -> None:
    """Compare the healthy targets' latency with and without a hundred dead ones beside them."""
    seconds, rate = max(count / 1000, 10), 300
    found = {}
    for dead in (0, 100):
        with setting() as (url, silent):
            healthy = {f"up-{place}": target(f"{url}/{place}") for place in range(900)}
            gone = {f"down-{place}": target(f"{silent}/{place}") for place in range(dead)}
            subscribe(healthy | gone)
            asyncio.run(steady([*healthy, *gone], rate * (900 + dead) // 900, seconds))
            times = latencies("up-")
            found[dead] = times[len(times) * 99 // 100]
            print(
                f"{dead} dead of {900 + dead} targets: {len(times)} deliveries to the healthy, "
                f"p50 {times[len(times) // 2] * 1000:.0f} ms, p99 {found[dead] * 1000:.0f} ms"
            )
    print(f"p99 with the dead: {found[100] / found[0]:.2f} times")


def backlog(count: int) -> None:
    """Measure claiming from a backlog, and the memory of the process that delivers from it."""
    count = max(count, 1_000_000)
    with setting() as (url, _):
        names = [f"t-{place}" for place in range(100)]
        subscribe({name: target(f"{url}/{name}") for name in names})
        fill(names, count, routed=True)
        desk = Desk(Ledger(), SteadyClock())
        desk.enter()
        slots, times = dict.fromkeys(names, 10), []
        for _ in range(300):
            began = time.perf_counter()
            claimed = desk.turn(Asked(slots=slots, most=100)).claimed
            times.append(time.perf_counter() - began)
            assert len(claimed) == 100
        desk.leave()
        times.sort()
        print(
            f"{count} rows wait: 100 are claimed in p50 {times[150] * 1000:.1f} ms, "
            f"p99 {times[297] * 1000:.1f} ms"
        )
        code = "from tests.benchmarks.deliveries import memory; memory(%d)"
        for many in (0, 20_000):
            subprocess.run([sys.executable, "-c", code % many], check=True)


def memory(many: int) -> None:
    """Print the peak memory of a process that delivers so many; 0: that is idle."""
    asyncio.run(deliver(many))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{many} delivered from the backlog: {peak:.0f} MB at most")


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="deliveries.py")
    parser.add_argument("what", choices=["speed", "isolation", "backlog"])
    parser.add_argument("--count", type=int, default=20_000)
    options = parser.parse_args()
    {"speed": speed, "isolation": isolation, "backlog": backlog}[options.what](options.count)


if __name__ == "__main__":
    main()
