"""What verifying and storing webhooks costs, as ratios in one run.

    python tests/benchmarks/gateway.py --seconds 5

Each server has the first core to itself, the senders have the second: 64 connections, requests of
512 bytes signed by Standard Webhooks, each with an id of its own. Compared are the whole gateway
(verify, allow-list, rate limits, duplicates, a durable SQLite row; with --postgres PostgreSQL), a
bare raw-ASGI app on granian that only verifies, and adnanh/webhook where it is installed, which
stores nothing. The gateway runs on uvloop, so the bare app does too, and once more on asyncio, as
granian starts it where uvloop is not installed. Printed are requests a second, milliseconds, and
the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hmac
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECRET = b"benchmark-secret-of-32-bytes-len"
KEY = "whsec_" + base64.b64encode(SECRET).decode()
PATH = "/webhooks/shop"
BODY = (b'{"type": "order.created", "id": 1, "data": "' + b"x" * 512)[:510] + b'"}'
CONNECTIONS = 64
MOST = 120_000
BARE = """
import asyncio, base64, hmac, sys
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
KEY = base64.b64decode(sys.argv[2])
ANSWERS = [
    {"type": "http.response.start", "status": s, "headers": [(b"content-length", b"2")]}
    for s in (401, 202)
]
BODY = {"type": "http.response.body", "body": b"ok"}
async def app(scope, receive, send):
    found = dict(scope["headers"])
    message = await receive()
    body = message["body"]
    while message["more_body"]:
        message = await receive()
        body += message["body"]
    content = b"%b.%b.%b" % (found[b"webhook-id"], found[b"webhook-timestamp"], body)
    wanted = b"v1," + base64.b64encode(hmac.digest(KEY, content, "sha256"))
    await send(ANSWERS[hmac.compare_digest(wanted, found[b"webhook-signature"])])
    await send(BODY)
if sys.argv[3] == "uvloop":
    from uvloop import run
else:
    run = asyncio.run
server = Server(app, port=int(sys.argv[1]), interface=Interfaces.ASGINL, websockets=False,
                log_enabled=False, http=HTTPModes.http1, backlog=1024, backpressure=1024)
run(server.serve())
"""


@dataclass
class Sent:
    """What came of a load: statuses and seconds."""

    seconds: float = 0.0
    statuses: Counter[bytes] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def at(self, share: float) -> float:
        """Return the latency, in milliseconds, that `share` of the requests keep within."""
        return sorted(self.latencies)[int(len(self.latencies) * share)] * 1000


class Sender(asyncio.Protocol):
    """One connection, which sends as soon as it is answered, or at a pace."""

    def __init__(self, sent: Sent, requests: Iterator[bytes], until: float, pace: float) -> None:
        """Take the requests; `pace` is the seconds between two of them, 0: none."""
        self._sent, self._requests, self._until, self._pace = sent, requests, until, pace
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self._transport, self._due = transport, time.perf_counter()
        self._next()

    def _next(self) -> None:
        now = time.perf_counter()
        request = next(self._requests, None)
        if now > self._until or request is None:
            self._transport.close()
            return
        # From when it was due: a late answer must not hide what waits behind it.
        self._due = max(self._due + self._pace, 0) if self._pace else now
        if self._due > now:
            loop = asyncio.get_running_loop()
            loop.call_later(self._due - now, self._transport.write, request)
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Note an answer; each fits into one read."""
        self._sent.latencies.append(time.perf_counter() - self._due)
        self._sent.statuses[data[9:12]] += 1
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        if not self.over.done():
            self.over.set_result(None)


def requests(port: int, path: str, count: int, secret: bytes = SECRET) -> list[bytes]:
    """Return signed requests, each with an id of its own."""
    now, tag, made = str(int(time.time())).encode(), os.urandom(4).hex().encode(), []
    hub = hmac.new(SECRET, BODY, "sha256").hexdigest().encode()
    for number in range(count):
        id_ = b"msg_%b%09d" % (tag, number)
        code = base64.b64encode(hmac.digest(secret, b"%b.%b.%b" % (id_, now, BODY), "sha256"))
        made.append(
            b"POST %b HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: benchmark\r\n"
            b"Content-Type: application/json\r\nwebhook-id: %b\r\nwebhook-timestamp: %b\r\n"
            b"webhook-signature: v1,%b\r\nX-Hub-Signature-256: sha256=%b\r\n"
            b"Content-Length: %d\r\n\r\n%b"
            % (path.encode(), port, id_, now, code, hub, len(BODY), BODY)
        )
    return made


async def load(port: int, made: list[bytes], seconds: float, rate: float = 0) -> Sent:
    """Send for some seconds; `rate`: so many requests a second over all connections."""
    sent, each = Sent(), iter(made)
    began = time.perf_counter()
    loop, pace = asyncio.get_running_loop(), CONNECTIONS / rate if rate else 0.0
    senders = []
    for _ in range(CONNECTIONS):
        _, sender = await loop.create_connection(
            lambda: Sender(sent, each, began + seconds, pace), "127.0.0.1", port
        )
        senders.append(sender.over)
    await asyncio.gather(*senders)
    sent.seconds = time.perf_counter() - began
    return sent


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(words: list[str], port: int, **environment: str) -> Iterator[int]:
    """Run a server on the first core."""
    process = subprocess.Popen(
        ["taskset", "-c", "0", *words],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(400):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def gateway(folder: Path, port: int, ledger: str = "") -> Any:
    """Return the whole product as a server."""
    webhook = {
        "path": PATH,
        "scheme": "standard-webhooks",
        "secret": "${env:BENCHMARK_SECRET}",
        "allow": ["127.0.0.0/8"],
        "rate": "1000000/s",
    }
    file = {
        "name": "shop",
        "source": {"webhook": webhook},
        "push": {"to": {"url": "sqlite:///shop.db"}, "table": "orders"},
    }
    (folder / "shop.json").write_text(json.dumps(file))
    command = "from astrio.deployments.cli import main; main()"
    words = ["gateway", str(folder), "--port", str(port), "--no-drain"]
    words += ["--address-rate", "1000000/s"]
    more = {"ASTRIO_LEDGER_URL": ledger} if ledger else {}
    home = str(folder / "home")
    return server(
        [sys.executable, "-c", command, *words],
        port,
        ASTRIO_HOME=home,
        BENCHMARK_SECRET=KEY,
        PYTHONPATH=os.pathsep.join(filter(None, sys.path)),
        **more,
    )


def bare(port: int, loop: str = "asyncio") -> Any:
    """Return the app that only verifies as a server."""
    key = base64.b64encode(SECRET).decode()
    return server([sys.executable, "-c", BARE, str(port), key, loop], port)


def adnanh(folder: Path, port: int) -> Any:
    """Return adnanh/webhook as a server that verifies, and runs nothing but `true`."""
    rule = {
        "type": "payload-hmac-sha256",
        "secret": SECRET.decode(),
        "parameter": {"source": "header", "name": "X-Hub-Signature-256"},
    }
    hook = {"id": "shop", "execute-command": "/bin/true", "trigger-rule": {"match": rule}}
    file = folder / "hooks.json"
    file.write_text(json.dumps([hook]))
    words = ["webhook", "-hooks", str(file), "-port", str(port), "-ip", "127.0.0.1"]
    return server([*words, "-urlprefix", "webhooks"], port)


def measured(name: str, port: int, seconds: float, secret: bytes = SECRET) -> Sent:
    """Load a server, and print what it did."""
    made = requests(port, PATH, MOST, secret)
    asyncio.run(load(port, made[: MOST // 60], 1))
    sent = asyncio.run(load(port, made[MOST // 60 :], seconds))
    statuses = {code.decode(): count for code, count in sent.statuses.items()}
    print(f"{name:<34}{sent.rate:>8.0f}/s  p99 {sent.at(0.99):6.1f} ms  {statuses}", flush=True)
    return sent


def calm(port: int, rate: float, seconds: float) -> None:
    """Print the latencies at 70 % of a load."""
    made = requests(port, PATH, int(rate * 0.7 * seconds) + CONNECTIONS)
    sent = asyncio.run(load(port, made, seconds, rate * 0.7))
    told = f"p50 {sent.at(0.5):.1f} ms, p99 {sent.at(0.99):.1f} ms"
    print(f"{'at 70 %':<34}{sent.rate:>8.0f}/s  {told}", flush=True)


def main() -> None:
    """Measure everything in one run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--postgres", action="store_true", help="with PostgreSQL, too")
    given = parser.parse_args()
    os.sched_setaffinity(0, {1})
    with tempfile.TemporaryDirectory() as place, ExitStack() as held:
        folder, seconds = Path(place), given.seconds
        with bare(free_port()) as port:
            plain = measured("bare app, only verifies", port, seconds)
        with bare(free_port(), "uvloop") as port:
            fast = measured("bare app on uvloop", port, seconds)
        with gateway(folder, free_port()) as port:
            whole = measured("gateway, SQLite", port, seconds)
            calm(port, whole.rate, seconds)
            forged = measured("gateway, bad signatures", port, seconds, b"x" * 32)
        told = f"{whole.rate / plain.rate:.0%} (at least 60 %), on uvloop"
        print(f"gateway / bare app: {told} {whole.rate / fast.rate:.0%}")
        print(f"accepting / refusing, cost: {forged.rate / whole.rate:.2f} (more than 1)")
        if shutil.which("webhook"):
            with adnanh(folder, free_port()) as port:
                other = measured("adnanh/webhook", port, seconds)
            print(f"gateway / adnanh/webhook: {whole.rate / other.rate:.1f} (at least 5)")
        if given.postgres:
            sys.path.insert(0, str(Path(__file__).parents[2]))
            from tests.support.postgres import postgres_server

            url = held.enter_context(postgres_server()).create_database()
            with gateway(folder, free_port(), url) as port:
                stored = measured("gateway, PostgreSQL", port, seconds)
                calm(port, stored.rate, seconds)
            print(f"gateway with PostgreSQL / bare app: {stored.rate / plain.rate:.0%}")


if __name__ == "__main__":
    main()
